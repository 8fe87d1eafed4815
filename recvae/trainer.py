"""Trainer: the epoch loop with validation, early stopping and the best weights kept."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
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
from recvae.weights import Average, Best

logger = logging.getLogger(__name__)

OnEpoch = Callable[[int, float], object]
"""Is told the number of an epoch, from 1, and its validation value; may raise to end the fit."""


@dataclass(frozen=True)
class Terms:
    """What one training step gave: the loss and its parts, averaged over the users."""

    loss: torch.Tensor
    log_likelihood: torch.Tensor
    kl: torch.Tensor
    beta: float


@dataclass(frozen=True)
class Pass:
    """A way through the training users; an epoch is one or more.

    Attributes:
        step: computes the terms of a batch at a training step, counted from 0 over all passes.
        part: the start of the names of the parameters to train; "" means all.
        repeat: how often to go through the users.
        before: what to do first.
    """

    step: Callable[[Batch, int], Terms]
    part: str = ""
    repeat: int = 1
    before: Callable[[], object] = lambda: None


@dataclass
class Trainer:
    """Trains a net by Adam on mini-batches of users.

    Attributes:
        net: the module to train, in place.
        passes: what an epoch is made of.
        epochs: how many there are, at most.
        learning_rate: Adam's.
        l2: coefficient of the sum of squared weights, whose gradient is added to the loss's; the
            loss in the history is without it.
        validate: judges the net after each epoch, higher is better; None trains to the last epoch.
        metric: the name of what `validate` gives.
        on_epoch: told of each epoch that was validated; what it raises ends the training.
        patience: stop after so many epochs without a better value; None never stops early.
        averaging: judge and keep the average of the weights, by this power of the step (see
            `recvae.weights.Average`); None keeps those of the last step.
        steps: how many training steps were made.
        history: a row an epoch.
        interrupted: whether Ctrl-C ended the training early.
    """

    net: nn.Module
    passes: Sequence[Pass]
    epochs: int
    learning_rate: float
    l2: float = 0.0
    validate: Callable[[], float] | None = None
    metric: str = ""
    on_epoch: OnEpoch | None = None
    patience: int | None = None
    averaging: float | None = None
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False
    _average: Average | None = None

    def fit(self, batches: Batches, generator: np.random.Generator) -> pd.DataFrame:
        """Train; leave the best weights in the net; return the history.

        Ctrl-C ends the training and keeps the best weights so far.

        Raises:
            TrainingError: the loss became infinite or NaN before any epoch was completed well.
        """
        optimizers = [self._optimizer(one.part) for one in self.passes]
        best = Best(self.net)
        if self.averaging is not None:
            self._average = Average(self.net, self.averaging)
        bar = progress(range(self.epochs), "training", unit="epoch")
        try:
            for epoch in bar:
                record = self._epoch(epoch, batches, generator, optimizers)
                if not np.isfinite(record["loss"]):
                    self._diverged(epoch)
                    break
                if self.validate is not None:
                    record[self.metric] = self._judge(self.validate, best, epoch)
                self.history.append(record)
                shown = {name: f"{record[name]:.4g}" for name in self._shown()}
                bar.set_postfix(shown, refresh=False)
                if self.validate is not None and self._is_over(epoch - best.epoch):
                    break
        except KeyboardInterrupt:
            self._interrupt()
        if self._average:
            self._average.swap()
        best.restore()
        self.net.eval()
        return pd.DataFrame(self.history)

    def _judge(self, validate: Callable[[], float], best: Best, epoch: int) -> float:
        """Validate, keep the weights if they are the best, and tell who asked."""
        with self._average.in_place() if self._average else nullcontext():
            value = validate()
            best.offer(value, epoch)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, value)
        return value

    def _epoch(
        self,
        epoch: int,
        batches: Batches,
        generator: np.random.Generator,
        optimizers: list[torch.optim.Optimizer],
    ) -> dict[str, float]:
        self.net.train()
        started = perf_counter()
        sums, n_users = torch.zeros(3, device=batches.device), 0
        for one, optimizer in zip(self.passes, optimizers, strict=True):
            one.before()
            for _ in range(one.repeat):
                for batch in batches.epoch(generator):
                    terms = self._step(one, batch, optimizer)
                    parts = torch.stack([terms.loss, terms.log_likelihood, terms.kl])
                    sums += parts.detach() * len(batch)
                    n_users += len(batch)
        loss, log_likelihood, kl = (sums / n_users).tolist()
        seconds = perf_counter() - started
        return {
            "epoch": epoch + 1,
            "loss": loss,
            "log_likelihood": log_likelihood,
            "kl": kl,
            "beta": terms.beta,
            "seconds": seconds,
            "users_per_second": n_users / seconds,
        }

    def _step(self, one: Pass, batch: Batch, optimizer: torch.optim.Optimizer) -> Terms:
        terms = one.step(batch, self.steps)
        trained = [p for group in optimizer.param_groups for p in group["params"]]
        gradients = torch.autograd.grad(terms.loss, trained)
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        if self._average:
            self._average.update()
        self.steps += 1
        return terms

    def _optimizer(self, part: str) -> torch.optim.Optimizer:
        """Adam for a part; only matrices are decayed by `l2`, no biases and no gains."""
        parameters = [p for name, p in self.net.named_parameters() if name.startswith(part)]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 2 * self.l2},
            {"params": [p for p in parameters if p.ndim == 1]},
        ]
        return torch.optim.Adam(groups, lr=self.learning_rate, fused=True)

    def _is_over(self, epochs_since_best: int) -> bool:
        return self.patience is not None and epochs_since_best >= self.patience

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
