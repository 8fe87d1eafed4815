"""Phases: the parts of a training epoch, and the losses that they add up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Self

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.groups import Group
from recvae.engine.states import count
from recvae.engine.weights import copy

RECORDED = ("loss", "log_likelihood", "kl", "beta", "seconds", "users_per_second")
"""The columns of the training history."""


@dataclass(frozen=True)
class LossTerms:
    """The loss of one training step and its parts, averaged over the batch's users."""

    loss: torch.Tensor
    log_likelihood: torch.Tensor
    kl: torch.Tensor
    beta: float

    @classmethod
    def without_kl(cls, log_likelihood: torch.Tensor) -> Self:
        """The terms of a model whose loss is the negative log-likelihood alone."""
        return cls(-log_likelihood, log_likelihood, torch.zeros_like(log_likelihood), 0.0)


@dataclass(frozen=True)
class Phase:
    """A part of an epoch: goes through all training users and trains a part of the net.

    Attributes:
        step: computes the loss terms of a batch; its second argument is the number of the training
            step, counted from 0 over all phases.
        part: only parameters whose names begin with this are trained; "" means all.
        repeat: how many times to go through the users.
        before: called before the phase begins; None calls nothing.
        memory: the module that `before` changes, so that checkpoints keep it; None if it changes
            nothing.
    """

    step: Callable[[Batch, int], LossTerms]
    part: str = ""
    repeat: int = 1
    before: Callable[[], object] | None = None
    memory: nn.Module | None = None

    def after(self, steps: int) -> Self:
        """The same phase, whose steps are counted from `steps` on, for a training that goes on."""
        return replace(self, step=lambda batch, step: self.step(batch, steps + step))


@dataclass
class EpochTotals:
    """The loss terms of the present epoch, added up so far.

    Attributes:
        sums: loss, log-likelihood and KL, summed over the users.
        n_users: number of users that were added up; a user counts once in each round.
        beta: the KL weight of the last step.
        rounds: how many times the epoch has gone through all users.
        started: when the epoch began, by `perf_counter`.
    """

    sums: torch.Tensor
    n_users: int = 0
    beta: float = 0.0
    rounds: int = 0
    started: float = field(default_factory=perf_counter)

    def add(self, terms: LossTerms, n_users: int) -> None:
        """Add the loss terms of a step with `n_users` users."""
        self.beta = terms.beta
        if not n_users:  # of a batch that is smaller than the number of processes
            return
        parts = torch.stack([terms.loss, terms.log_likelihood, terms.kl])
        self.sums += parts.detach() * n_users
        self.n_users += n_users

    def record(self, group: Group) -> dict[str, float]:
        """The epoch's line of the history: means over the users of all data parallel processes."""
        own = torch.cat([self.sums, self.sums.new_tensor([self.n_users])])
        *sums, n_users = group.sum(own).tolist()
        means = [total / n_users for total in sums]
        seconds = perf_counter() - self.started
        values = (*means, float(self.beta), seconds, n_users / seconds)
        return dict(zip(RECORDED, values, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """All attributes for `load_state_dict`; for `started`, the seconds since then."""
        counts = {"n_users": self.n_users, "beta": self.beta, "rounds": self.rounds}
        return {"sums": self.sums, "seconds": perf_counter() - self.started, **counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        copy([state["sums"]], [self.sums])
        self.n_users, self.rounds = count(state["n_users"]), count(state["rounds"])
        self.beta = float(state["beta"])
        self.started = perf_counter() - float(state["seconds"])
