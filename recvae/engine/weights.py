"""Copies of weights that training keeps beside the current ones: the best, the average, earlier."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import nn

from recvae.engine.states import count, require_like


def copy(weights: Sequence[torch.Tensor], into: Iterable[torch.Tensor]) -> None:
    """Copy weights into other tensors, in place; ValueError unless shapes and types agree."""
    targets = list(into)
    require_like(weights, targets)
    with torch.no_grad():
        for weight, target in zip(weights, targets, strict=True):
            target.copy_(weight)


class BestWeights:
    """The best weights so far.

    Attributes:
        value: their validation value.
        epoch: the epoch that they are from, counted from 0; -1 before the first.
    """

    def __init__(self, net: nn.Module) -> None:
        self.value, self.epoch = -np.inf, -1
        self._net = net
        self._weights: list[torch.Tensor] | None = None

    def offer(self, value: float, epoch: int) -> None:
        """Keep a copy of the net's present weights if their value is the best so far."""
        if value > self.value:
            self.value, self.epoch = value, epoch
            self._weights = [parameter.detach().clone() for parameter in self._net.parameters()]

    def state_dict(self) -> dict[str, Any]:
        """The value, the epoch and the weights, for `load_state_dict`."""
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
    """The average of a net's weights over its training steps; later steps count more.

    Step t counts about in proportion to t^power (Shamir & Zhang, "Stochastic Gradient Descent for
    Non-smooth Optimization", ICML 2013, section 4).
    """

    def __init__(self, net: nn.Module, power: float) -> None:
        self._net, self._power, self._steps = net, power, 0
        self._weights = [parameter.detach().clone() for parameter in net.parameters()]

    def update(self) -> None:
        """Add the weights after another step to the average."""
        self._steps += 1
        weight = (self._power + 1) / (self._power + self._steps)
        with torch.no_grad():
            for average, parameter in zip(self._weights, self._net.parameters(), strict=True):
                average.lerp_(parameter, weight)

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of its steps, for `load_state_dict`."""
        return {"steps": self._steps, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._steps = count(state["steps"])
        copy(state["weights"], self._weights)

    def swap(self) -> None:
        """Exchange the average with the net's weights."""
        for number, parameter in enumerate(self._net.parameters()):
            self._weights[number], parameter.data = parameter.data, self._weights[number]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A context in which the net has the average as its weights."""
        self.swap()
        try:
            yield
        finally:
            self.swap()


class Snapshot:
    """A frozen copy of a module at an earlier time, such as RecVAE's encoder of the last epoch.

    Attributes:
        module: the copy, which is not trained.
    """

    def __init__(self, original: nn.Module) -> None:
        self._original = original
        self.module = deepcopy(original).requires_grad_(False)

    def take(self) -> None:
        """Copy the module's present weights."""
        self.module.load_state_dict(self._original.state_dict())
