"""Trainer: the epoch loop with validation, early stopping and the best weights kept."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from recvae.batches import Batch, Batches
from recvae.errors import TrainingError
from recvae.progress import progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """What one training step gave: the loss and its parts, averaged over the users."""

    loss: torch.Tensor
    log_likelihood: torch.Tensor
    kl: torch.Tensor
    beta: float


@dataclass
class Trainer:
    """Trains a net by Adam on mini-batches of users.

    Attributes:
        net: the module to train, in place.
        step: computes the terms of a batch at a training step, counted from 0.
        epochs: how often to go through the users.
        learning_rate: Adam's.
        l2: coefficient of the sum of squared weights (biases left out) in the loss.
        validate: judges the net after each epoch, higher is better; None trains to the last epoch.
        metric: the name of what `validate` gives.
        patience: stop after so many epochs without a better value; None never stops early.
        history: a row an epoch.
        interrupted: whether Ctrl-C ended the training early.
    """

    net: nn.Module
    step: Callable[[Batch, int], Terms]
    epochs: int
    learning_rate: float
    l2: float = 0.0
    validate: Callable[[], float] | None = None
    metric: str = ""
    patience: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False

    def fit(self, batches: Batches, generator: np.random.Generator) -> pd.DataFrame:
        """Train; leave the best weights in the net; return the history.

        Ctrl-C ends the training and keeps the best weights so far.

        Raises:
            TrainingError: the loss became infinite or NaN before any epoch was completed well.
        """
        optimizer = self._optimizer()
        best = _Best()
        bar = progress(range(self.epochs), "training", unit="epoch")
        try:
            for epoch in bar:
                record = self._epoch(epoch, batches, generator, optimizer)
                if not np.isfinite(record["loss"]):
                    self._diverged(epoch)
                    break
                if self.validate is not None:
                    record[self.metric] = self.validate()
                    best.offer(record[self.metric], epoch, self.net)
                self.history.append(record)
                bar.set_postfix({name: f"{record[name]:.4g}" for name in self._shown()})
                if self.patience is not None and epoch - best.epoch > self.patience:
                    break
        except KeyboardInterrupt:
            self._interrupt()
        best.restore(self.net)
        self.net.eval()
        return pd.DataFrame(self.history)

    def _epoch(
        self,
        epoch: int,
        batches: Batches,
        generator: np.random.Generator,
        optimizer: torch.optim.Optimizer,
    ) -> dict[str, float]:
        self.net.train()
        started = perf_counter()
        first = epoch * len(batches)
        sums = torch.zeros(3, device=batches.device)
        for number, batch in enumerate(batches.epoch(generator)):
            terms = self.step(batch, first + number)
            optimizer.zero_grad()
            terms.loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            parts = torch.stack([terms.loss, terms.log_likelihood, terms.kl])
            sums += parts.detach() * len(batch)
        loss, log_likelihood, kl = (sums / batches.matrix.shape[0]).tolist()
        seconds = perf_counter() - started
        return {
            "epoch": epoch + 1,
            "loss": loss,
            "log_likelihood": log_likelihood,
            "kl": kl,
            "beta": terms.beta,
            "seconds": seconds,
            "users_per_second": batches.matrix.shape[0] / seconds,
        }

    def _optimizer(self) -> torch.optim.Optimizer:
        """Adam, with the gradient of `l2` * sum(weight^2) added for the weights."""
        named = dict(self.net.named_parameters())
        biases = [parameter for name, parameter in named.items() if name.endswith("bias")]
        weights = [parameter for name, parameter in named.items() if not name.endswith("bias")]
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": 2 * self.l2},
            {"params": biases},
        ]
        return torch.optim.Adam(groups, lr=self.learning_rate, fused=True)

    def _shown(self) -> list[str]:
        return ["loss", self.metric] if self.validate is not None else ["loss"]

    def _diverged(self, epoch: int) -> None:
        problem = f"the loss left the range of numbers in epoch {epoch + 1}"
        advice = "lower learning_rate, or check the data for extreme weights."
        if self.validate is None or not self.history:
            raise TrainingError(f"{problem}: {advice}")
        logger.warning("%s; the best weights before it are kept: %s", problem, advice)

    def _interrupt(self) -> None:
        if not self.history:
            raise
        self.interrupted = True
        logger.warning("interrupted after epoch %d: the best weights are kept.", len(self.history))


@dataclass
class _Best:
    """The best weights so far."""

    value: float = -np.inf
    epoch: int = -1
    weights: dict[str, torch.Tensor] | None = None

    def offer(self, value: float, epoch: int, net: nn.Module) -> None:
        if value > self.value:
            weights = {name: tensor.clone() for name, tensor in net.state_dict().items()}
            self.value, self.epoch, self.weights = value, epoch, weights

    def restore(self, net: nn.Module) -> None:
        if self.weights is not None:
            net.load_state_dict(self.weights)
