"""Optimizer: Adam for a part of a net."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class Optimizer:
    """Adam; only matrices are decayed, no biases and no gains.

    Args:
        net: what to train, in place.
        part: the start of the names of the parameters to train; "" means all.
        learning_rate: Adam's.
        l2: coefficient of the sum of squared weights, whose gradient is added to the loss's.
    """

    def __init__(self, net: nn.Module, part: str, learning_rate: float, l2: float) -> None:
        chosen = [p for name, p in net.named_parameters() if name.startswith(part)]
        matrices, vectors = ([p for p in chosen if (p.ndim > 1) is kind] for kind in (True, False))
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": 2 * l2},
            {"params": vectors},
        ]
        self.adam = torch.optim.Adam(groups, lr=learning_rate, fused=True)
        self._net, self._trained = net, [*matrices, *vectors]

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """Have gradients of its part of the net alone."""
        self._net.requires_grad_(False)
        for parameter in self._trained:
            parameter.requires_grad_(True)
        try:
            yield
        finally:
            self._net.requires_grad_(True)

    def step(self, loss: torch.Tensor) -> None:
        """Descend by the gradients of a loss."""
        gradients = torch.autograd.grad(loss, self._trained)
        for parameter, gradient in zip(self._trained, gradients, strict=True):
            parameter.grad = gradient
        self.adam.step()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: Adam's moments and steps, parameter by parameter."""
        return {"moments": [dict(self.adam.state[parameter]) for parameter in self._trained]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for parameter, moments in zip(self._trained, state["moments"], strict=True):
            self.adam.state[parameter] = {
                name: tensor.to(parameter.device) for name, tensor in moments.items()
            }
