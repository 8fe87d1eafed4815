"""Weights of a net that training keeps besides the current ones: the best, the average."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from recvae.engine.states import count, require_like


def copy(weights: Sequence[torch.Tensor], into: Iterable[torch.Tensor]) -> None:
    """Write weights over others of the same shapes and types, in place."""
    targets = list(into)
    require_like(weights, targets)
    with torch.no_grad():
        for weight, target in zip(weights, targets, strict=True):
            target.copy_(weight)


class BestWeights:
    """The best weights so far.

    Attributes:
        value: what they were judged to be worth.
        epoch: when that was.
    """

    def __init__(self, net: nn.Module) -> None:
        self.value, self.epoch = -np.inf, -1
        self._net = net
        self._weights: list[torch.Tensor] | None = None

    def offer(self, value: float, epoch: int) -> None:
        """Keep the net's present weights if they are the best."""
        if value > self.value:
            self.value, self.epoch = value, epoch
            self._weights = [parameter.detach().clone() for parameter in self._net.parameters()]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: the value, the epoch and the weights."""
        return {"value": self.value, "epoch": self.epoch, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.value, self.epoch = float(state["value"]), count(state["epoch"], least=-1)
        self._weights = state["weights"]
        if self._weights is not None:
            require_like(self._weights, self._net.parameters())

    def restore(self) -> None:
        """Put the best weights into the net, if any were offered."""
        if self._weights is not None:
            copy(self._weights, self._net.parameters())


class Average:
    """The average of a net's weights over its training steps, in which later steps count more.

    Step t's weight is about proportional to t to some power (Shamir & Zhang, "Stochastic Gradient
    Descent for Non-smooth Optimization", ICML 2013, section 4).
    """

    def __init__(self, net: nn.Module, power: float) -> None:
        self._net, self._power, self._steps = net, power, 0
        self._weights = [parameter.detach().clone() for parameter in net.parameters()]

    def update(self) -> None:
        """Take the weights after another step in."""
        self._steps += 1
        weight = (self._power + 1) / (self._power + self._steps)
        with torch.no_grad():
            for average, parameter in zip(self._weights, self._net.parameters(), strict=True):
                average.lerp_(parameter, weight)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: the average, and of how many steps it is."""
        return {"steps": self._steps, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._steps = count(state["steps"])
        copy(state["weights"], self._weights)

    def swap(self) -> None:
        """Exchange the average and the net's weights."""
        for number, parameter in enumerate(self._net.parameters()):
            self._weights[number], parameter.data = parameter.data, self._weights[number]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the average in the net for a while."""
        self.swap()
        try:
            yield
        finally:
            self.swap()
