"""Weights of a net that training keeps besides the current ones: the best, the average."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


class Best:
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

    def restore(self) -> None:
        """Put the best weights into the net, if any were offered."""
        if self._weights is not None:
            with torch.no_grad():
                for parameter, kept in zip(self._net.parameters(), self._weights, strict=True):
                    parameter.copy_(kept)


class Average:
    """The average of a net's weights over its training steps, in which later steps count more.

    Step t's share is about proportional to t to some power (Shamir & Zhang, "Stochastic Gradient
    Descent for Non-smooth Optimization", ICML 2013, section 4).
    """

    def __init__(self, net: nn.Module, power: float) -> None:
        self._net, self._power, self._steps = net, power, 0
        self._weights = [parameter.detach().clone() for parameter in net.parameters()]

    def update(self) -> None:
        """Take the weights after another step in."""
        self._steps += 1
        share = (self._power + 1) / (self._power + self._steps)
        with torch.no_grad():
            for average, parameter in zip(self._weights, self._net.parameters(), strict=True):
                average.lerp_(parameter, share)

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
