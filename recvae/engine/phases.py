"""Phases: what an epoch of training is made of, and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.groups import Group
from recvae.engine.states import count
from recvae.engine.weights import copy

RECORDED = ("loss", "log_likelihood", "kl", "beta", "seconds", "users_per_second")
"""What the history has of each epoch."""


@dataclass(frozen=True)
class LossTerms:
    """What one training step gave: the loss and its parts, averaged over the users."""

    loss: torch.Tensor
    log_likelihood: torch.Tensor
    kl: torch.Tensor
    beta: float


@dataclass(frozen=True)
class Phase:
    """A way through the training users; an epoch is one or more.

    Attributes:
        step: computes the terms of a batch at a training step, counted from 0 over all phases.
        part: the start of the names of the parameters to train; "" means all.
        repeat: how often to go through the users.
        before: what to do first.
        memory: what `before` changes, if anything.
    """

    step: Callable[[Batch, int], LossTerms]
    part: str = ""
    repeat: int = 1
    before: Callable[[], object] = lambda: None
    memory: nn.Module | None = None


@dataclass
class EpochTotals:
    """What the steps of an epoch have given so far.

    Attributes:
        sums: loss, log-likelihood and KL, summed over the users.
        n_users: how many there were.
        beta: that of the last step.
        rounds: how many times the epoch has gone through all users.
        started: when it began, by `perf_counter`.
    """

    sums: torch.Tensor
    n_users: int = 0
    beta: float = 0.0
    rounds: int = 0
    started: float = field(default_factory=perf_counter)

    def add(self, terms: LossTerms, n_users: int) -> None:
        """Take in a step with so many users."""
        self.beta = terms.beta
        if not n_users:  # of a batch that is smaller than the number of processes
            return
        parts = torch.stack([terms.loss, terms.log_likelihood, terms.kl])
        self.sums += parts.detach() * n_users
        self.n_users += n_users

    def record(self, group: Group) -> dict[str, float]:
        """The epoch in the history, over the users of all processes that share them."""
        own = torch.cat([self.sums, self.sums.new_tensor([self.n_users])])
        *sums, n_users = group.sum(own).tolist()
        loss, log_likelihood, kl = (total / n_users for total in sums)
        seconds = perf_counter() - self.started
        speed = n_users / seconds
        values = (loss, log_likelihood, kl, float(self.beta), seconds, speed)
        return dict(zip(RECORDED, values, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: all of it, and the seconds since it began."""
        counts = {"n_users": self.n_users, "beta": self.beta, "rounds": self.rounds}
        return {"sums": self.sums, "seconds": perf_counter() - self.started, **counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        copy([state["sums"]], [self.sums])
        self.n_users, self.rounds = count(state["n_users"]), count(state["rounds"])
        self.beta = float(state["beta"])
        self.started = perf_counter() - float(state["seconds"])
