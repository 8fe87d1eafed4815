"""Trainer: the epoch loop with validation, early stopping and the best weights kept."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from recvae.engine.annealing import RateSchedule, rate_share
from recvae.engine.batch import Batch
from recvae.engine.batches import Batches
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.devices import multiplying
from recvae.engine.interrupts import HeldBack
from recvae.engine.optimizer import Optimizer
from recvae.engine.passes import RECORDED, Pass, Terms, Totals
from recvae.engine.processes import ONE, Processes
from recvae.engine.states import count
from recvae.engine.weights import Average, Best, copy
from recvae.errors import CheckpointError, TrainingError
from recvae.progress import progress

logger = logging.getLogger(__name__)

TO_END = 2
"""How urgent a checkpoint is if the training shall end; 1 if it is time for one, else 0."""

OnEpoch = Callable[[int, float], object]
"""Is told the number of an epoch, from 1, and its validation value; may raise to end the fit."""


@dataclass
class Trainer:
    """Trains a net by Adam on mini-batches of users.

    Attributes:
        net: the module to train, in place.
        passes: what an epoch is made of.
        epochs: how many there are, at most.
        learning_rate: Adam's.
        rate_schedule: how it goes down over the epochs, see `recvae.engine.annealing.rate_share`.
        l2: coefficient of the sum of squared weights, whose gradient is added to the loss's; the
            loss in the history is without it.
        validate: judges the net after each epoch, higher is better; None trains to the last epoch.
        metric: the name of what `validate` gives.
        on_epoch: told of each epoch that was validated; what it raises ends the training.
        patience: stop after so many epochs without a better value; None never stops early.
        averaging: judge and keep the average of the weights, by this power of the step (see
            `recvae.engine.weights.Average`); None keeps those of the last step.
        precision: to multiply float32 matrices in, in training alone.
        noise: what the passes draw from; its state belongs to a checkpoint.
        checkpoints: where to keep the state after each epoch (but see `checkpoints.SHARE`), every
            few minutes, and when Ctrl-C or SIGTERM ends the training; None keeps none.
        processes: those that train it together, each a part.
        steps: how many training steps were made.
        history: a row an epoch.
        interrupted: whether Ctrl-C ended the training early.
    """

    net: nn.Module
    passes: Sequence[Pass]
    epochs: int
    learning_rate: float
    rate_schedule: RateSchedule = "constant"
    l2: float = 0.0
    validate: Callable[[], float] | None = None
    metric: str = ""
    on_epoch: OnEpoch | None = None
    patience: int | None = None
    averaging: float | None = None
    precision: torch.dtype = torch.float32
    noise: torch.Generator | None = None
    checkpoints: Checkpoints | None = None
    processes: Processes = ONE
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False

    def fit(self, batches: Batches) -> pd.DataFrame:
        """Train, from the last checkpoint if there is one; return the history.

        The best weights are left in the net. Ctrl-C ends the training and keeps the best so far.

        Raises:
            TrainingError: the loss became infinite or NaN before any epoch was completed well.
            CheckpointError: the checkpoints are damaged or of another training.
        """
        self._batches, self._best, self._signals = batches, Best(self.net), HeldBack()
        self._average = None if self.averaging is None else Average(self.net, self.averaging)
        self._optimizers = [
            Optimizer(self.net, one.part, self.learning_rate, self.l2, self.processes.users)
            for one in self.passes
        ]
        self._totals: Totals | None = None
        if self.checkpoints and (state := self.checkpoints.load()):
            self._resume(state, self.checkpoints.folder)
        try:
            with self._signals:
                self._train()
        except KeyboardInterrupt:
            self._interrupt()
        if self._average:
            self._average.swap()
        self._best.restore()
        self.net.eval()
        return pd.DataFrame(self.history)

    def _train(self) -> None:
        done = len(self.history)
        epochs, bar = range(done, self.epochs), {"initial": done, "total": self.epochs}
        for epoch in (shown := progress(epochs, "training", unit="epoch", **bar)):
            if self._is_over():
                break
            record = self._epoch(epoch)
            if not self._is_finite(record["loss"]):
                self._diverged(epoch)
                break
            if self.validate is not None:
                record[self.metric] = self._judge(self.validate, epoch)
            self.history.append(record)
            cheap = self.checkpoints is not None and self.checkpoints.cheap
            self._checkpoint(now=cheap or self._is_over())
            values = {name: f"{record[name]:.4g}" for name in self._shown()}
            shown.set_postfix(values, refresh=False)

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Make the steps of an epoch that are not made yet."""
        self.net.train()
        totals = self._totals = self._totals or self._new_totals()
        pairs = zip(self.passes, self._optimizers, strict=True)
        rounds = [(*pair, number) for pair in pairs for number in range(pair[0].repeat)]
        for one, optimizer, number in rounds[totals.rounds :]:
            if number == self._batches.done == 0:
                one.before()
            with optimizer.in_charge(), multiplying(self.precision):
                for batch in self._batches:
                    totals.add(self._step(one, batch, optimizer), len(batch))
                    self._checkpoint()
            totals.rounds += 1
        self._totals = None
        return {"epoch": epoch + 1, **totals.record(self.processes.users)}

    def _judge(self, validate: Callable[[], float], epoch: int) -> float:
        """Validate, keep the weights if they are the best, and tell who asked."""
        with self._average.in_place() if self._average else nullcontext():
            value = self.processes.everyone.most(validate())
            self._best.offer(value, epoch)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, value)
        return value

    def _step(self, one: Pass, batch: Batch, optimizer: Optimizer) -> Terms:
        terms = one.step(batch, self.steps)
        optimizer.step(terms.loss * batch.share, self._rate_share())
        if self._average:
            self._average.update()
        self.steps += 1
        return terms

    def _rate_share(self) -> float:
        total = self.epochs * len(self._batches) * sum(one.repeat for one in self.passes)
        return rate_share(self.steps, total=total, schedule=self.rate_schedule)

    def _checkpoint(self, *, now: bool = False) -> None:
        """Keep the state, if it is time to; then let Ctrl-C and SIGTERM take effect on all."""
        told = self._signals.pending
        due = now or (self.checkpoints is not None and self.checkpoints.due)
        urgency = self.processes.everyone.most(TO_END if told else due)
        if self.checkpoints and urgency:
            self.checkpoints.save(self.state_dict())
        if told:
            self._signals.deliver()
        if urgency == TO_END and self.processes.everyone.size > 1:
            raise KeyboardInterrupt

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the training depends on, as it is between two steps."""
        return {
            "parameters": list(self.net.parameters()),
            "parts": {name: part.state_dict() for name, part in self._parts().items()},
            "noise": self.noise and self.noise.get_state(),
            "totals": self._totals and self._totals.state_dict(),
            "steps": self.steps,
            "history": self.history,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        copy(state["parameters"], self.net.parameters())
        for name, part in self._parts().items():
            part.load_state_dict(state["parts"][name])
        if self.noise:
            self.noise.set_state(state["noise"])
        if state["totals"]:
            self._totals = self._new_totals()
            self._totals.load_state_dict(state["totals"])
        self.steps, self.history = count(state["steps"]), self._past(state["history"])

    def _past(self, history: list[dict[str, float]]) -> list[dict[str, float]]:
        """The epochs of a history, each with the names that it must have."""
        names = RECORDED if self.validate is None else (*RECORDED, self.metric)
        return [
            {"epoch": number, **{name: float(record[name]) for name in names}}
            for number, record in enumerate(history, 1)
        ]

    def _resume(self, state: dict[str, Any], folder: Path) -> None:
        try:
            self.load_state_dict(state)
        except Exception as error:  # whatever comes of a state that is none
            raise CheckpointError(
                f"the checkpoint in {folder} is of no such training ({error}): remove it to begin "
                "anew."
            ) from error

    def _parts(self) -> dict[str, Any]:
        """What has a state of its own."""
        parts: dict[str, Any] = {"best": self._best, "batches": self._batches}
        parts |= {"average": self._average} if self._average else {}
        for number, (one, optimizer) in enumerate(zip(self.passes, self._optimizers, strict=True)):
            parts[f"optimizer{number}"] = optimizer
            if one.memory is not None:
                parts[f"memory{number}"] = one.memory
        return parts

    def _new_totals(self) -> Totals:
        return Totals(torch.zeros(3, device=self._batches.device))

    def _is_finite(self, loss: float) -> bool:
        """Whether the loss of an epoch is, and so are the weights that its last step has left."""
        sums = torch.stack([weight.detach().sum() for weight in self.net.parameters()])
        is_finite = np.isfinite(loss) and bool(sums.isfinite().all())
        return not self.processes.everyone.most(not is_finite)

    def _is_over(self) -> bool:
        """Whether all epochs are done, or patience is at an end."""
        if len(self.history) >= self.epochs:
            return True
        if self.patience is None or self.validate is None:
            return False
        return len(self.history) - 1 - self._best.epoch >= self.patience

    def _shown(self) -> list[str]:
        return ["loss", self.metric] if self.validate is not None else ["loss"]

    def _diverged(self, epoch: int) -> None:
        problem = f"the training left the range of numbers in epoch {epoch + 1}"
        advice = "lower learning_rate, or check the data for extreme weights."
        if self.validate is None or not self.history:
            raise TrainingError(f"{problem}: {advice}")
        logger.warning("%s; the best weights before it are kept: %s", problem, advice)

    def _interrupt(self) -> None:
        if not self.history:
            raise
        self.interrupted = True
        logger.warning("interrupted after epoch %d: the best weights are kept.", len(self.history))
