"""Trainer: the epoch loop with validation, early stopping and the best weights kept."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from recvae.display.progress import progress
from recvae.engine.annealing import RateSchedule, lr_factor
from recvae.engine.batch import Batch
from recvae.engine.batches import Batches
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.devices import multiplying
from recvae.engine.interrupts import HeldBack
from recvae.engine.optimizer import Optimizer
from recvae.engine.phases import LossTerms, Phase
from recvae.engine.processes import ONE, Processes
from recvae.engine.train_state import TrainState
from recvae.engine.weights import Average
from recvae.errors import CheckpointError, TrainingError

logger = logging.getLogger(__name__)

TO_END = 2
"""The urgency of a checkpoint when the training must end; 1 means that one is due, 0 that not."""

OnEpoch = Callable[[int, float], object]
"""Called with an epoch's number, from 1, and its validation value; may raise to end the fit."""


@dataclass
class Trainer:
    """Trains a net by Adam on mini-batches of users.

    Attributes:
        net: the module to train, in place.
        phases: the parts of an epoch, in order.
        epochs: how many there are, at most.
        learning_rate: Adam's.
        rate_schedule: how it goes down over the epochs, see `recvae.engine.annealing.lr_factor`.
        l2: weight decay: the coefficient of the sum of squared weights, whose gradient is added to
            the loss's. The loss in the history does not include it.
        validate: judges the net after each epoch, higher is better; None trains to the last epoch.
        metric: the name of the value that `validate` returns.
        on_epoch: called after the validation of each epoch; an exception from it ends the training.
        patience: stop after this many epochs without a better value; None never stops early.
        averaging: judge and keep the average of the weights, by this power of the step (see
            `recvae.engine.weights.Average`); None keeps the weights of the last step.
        precision: the type in which float32 matrices are multiplied, in training alone.
        noise: the generator that the phases draw from; checkpoints keep its state.
        checkpoints: where to keep the state after each epoch (but see `checkpoints.MAX_COST`),
            every few minutes, and when Ctrl-C or SIGTERM ends the training; None keeps none.
        deadline: the time, by `perf_counter`, when the training ends as by Ctrl-C, but not before
            an epoch is complete; None sets no limit.
        processes: the processes that train the net together.
        interrupted: whether Ctrl-C ended the training early.
        training: the state of the training.
    """

    net: nn.Module
    phases: Sequence[Phase]
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
    deadline: float | None = None
    processes: Processes = ONE
    interrupted: bool = field(default=False, init=False)
    training: TrainState = field(init=False)

    def fit(self, batches: Batches) -> pd.DataFrame:
        """Train, from the last checkpoint if there is one; return the history.

        In the end the net has the best weights. Ctrl-C ends the training and keeps the best so far.

        Raises:
            TrainingError: the loss became infinite or NaN before any epoch was completed well.
            CheckpointError: the checkpoints are damaged or of another training.
        """
        self._signals, self.training = HeldBack(), self._new_training(batches)
        if self.checkpoints and (state := self.checkpoints.load()):
            self._resume(state, self.checkpoints.folder)
        try:
            with self._signals:
                self._train()
        except KeyboardInterrupt:
            if not (done := len(self.training.history)):
                raise
            self.interrupted = True
            logger.warning("interrupted after epoch %d: the best weights are kept.", done)
        self.training.end()
        return pd.DataFrame(self.training.history)

    def _new_training(self, batches: Batches) -> TrainState:
        users = self.processes.users
        return TrainState(
            net=self.net,
            phases=self.phases,
            optimizers=[
                Optimizer(self.net, one.part, self.learning_rate, self.l2, users)
                for one in self.phases
            ],
            batches=batches,
            average=None if self.averaging is None else Average(self.net, self.averaging),
            noise=self.noise,
            metric=None if self.validate is None else self.metric,
        )

    def _resume(self, state: dict[str, Any], folder: Path) -> None:
        try:
            self.training.load_state_dict(state)
        except Exception as error:  # whatever comes of a state that is none
            raise CheckpointError(
                f"the checkpoint in {folder} is of no such training ({error}): remove it to begin "
                "anew."
            ) from error

    def _train(self) -> None:
        done = len(self.training.history)
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
            self.training.history.append(record)
            cheap = self.checkpoints is not None and self.checkpoints.cheap
            self._checkpoint(now=cheap or self._is_over())
            told = [name for name in ("loss", self.metric) if name in record]
            shown.set_postfix({name: f"{record[name]:.4g}" for name in told}, refresh=False)

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Make the steps of an epoch that remain; give its line of the history."""
        self.net.train()
        training, totals = self.training, self.training.begin_epoch()
        pairs = zip(training.phases, training.optimizers, strict=True)
        # A round is once through all users; a phase has `repeat` of them. After a checkpoint, the
        # finished rounds are skipped, and `batches` skips the finished batches of the present one.
        rounds = [(*pair, number) for pair in pairs for number in range(pair[0].repeat)]
        for one, optimizer, number in rounds[totals.rounds :]:
            if one.before and number == training.batches.done == 0:
                one.before()
            with optimizer.in_charge(), multiplying(self.precision):
                for batch in training.batches:
                    totals.add(self._step(one, batch, optimizer), len(batch))
                    self._checkpoint()
            totals.rounds += 1
        training.totals = None
        return {"epoch": epoch + 1, **totals.record(self.processes.users)}

    def _judge(self, validate: Callable[[], float], epoch: int) -> float:
        """Validate, keep the weights if they are the best, and call `on_epoch`."""
        with self.training.judged():
            value = self.processes.everyone.max(validate())
            self.training.best.offer(value, epoch)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, value)
        return value

    def _step(self, one: Phase, batch: Batch, optimizer: Optimizer) -> LossTerms:
        training = self.training
        terms = one.step(batch, training.steps)
        optimizer.step(terms.loss * batch.fraction, self._lr_factor())
        if training.average:
            training.average.update()
        training.steps += 1
        return terms

    def _lr_factor(self) -> float:
        rounds = self.epochs * sum(one.repeat for one in self.phases)
        total = rounds * len(self.training.batches)
        return lr_factor(self.training.steps, total=total, schedule=self.rate_schedule)

    def _checkpoint(self, *, now: bool = False) -> None:
        """Write a checkpoint if one is due; then let Ctrl-C, SIGTERM and the deadline end all."""
        # All processes agree on the highest urgency, so that they write at the same step and end
        # together, whichever of them got the signal.
        told, late = self._signals.pending, self._is_late()
        due = now or (self.checkpoints is not None and self.checkpoints.due)
        urgency = self.processes.everyone.max(TO_END if told or late else due)
        if self.checkpoints and urgency:
            self.checkpoints.save(self.training.state_dict())
        if told:
            self._signals.deliver()
        if urgency == TO_END and (late or self.processes.everyone.size > 1):
            raise KeyboardInterrupt

    def _is_late(self) -> bool:
        """Whether the deadline has passed, with an epoch to keep and more to come."""
        if self.deadline is None or perf_counter() <= self.deadline:
            return False
        return bool(self.training.history) and not self._is_over()

    def _is_finite(self, loss: float) -> bool:
        """Whether the loss of an epoch and the weights after its last step are finite."""
        sums = torch.stack([weight.detach().sum() for weight in self.net.parameters()])
        is_finite = np.isfinite(loss) and bool(sums.isfinite().all())
        return not self.processes.everyone.max(not is_finite)

    def _is_over(self) -> bool:
        """Whether all epochs are done, or `patience` epochs have passed since the best one."""
        done = len(self.training.history)
        if self.patience is None or self.validate is None:
            return done >= self.epochs
        return done >= self.epochs or done - 1 - self.training.best.epoch >= self.patience

    def _diverged(self, epoch: int) -> None:
        problem = f"the loss became NaN or infinite in epoch {epoch + 1}"
        advice = "lower learning_rate, or check the data for extreme weights."
        if self.validate is None or not self.training.history:
            raise TrainingError(f"{problem}: {advice}")
        logger.warning("%s; the best weights before it are kept: %s", problem, advice)
