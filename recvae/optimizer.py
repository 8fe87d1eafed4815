"""Optimizer: Adam for a part of a net."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from recvae.sparse import by_rows


class Optimizer:
    """Adam; only matrices are decayed, no biases and no gains.

    Where a gradient is sparse, only its rows change, their moments and what is decayed of them.

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
        self._adams = {
            "dense": torch.optim.Adam(groups, lr=learning_rate, fused=True),
            "sparse": torch.optim.SparseAdam(chosen, lr=learning_rate),
        }
        self._net, self._trained, self._decay = net, [*matrices, *vectors], 2 * l2

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
        for kind, adam in self._adams.items():
            for parameter, gradient in zip(self._trained, gradients, strict=True):
                wanted = gradient.is_sparse is (kind == "sparse")
                parameter.grad = self._decayed(gradient, parameter) if wanted else None
            adam.step()

    def _decayed(self, gradient: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
        """A gradient, and if it is sparse what the decay of its rows adds to it."""
        if not (gradient.is_sparse and self._decay):
            return gradient
        rows = gradient.coalesce().indices()
        decay = self._decay * parameter.detach()[rows[0]]
        return gradient + by_rows(rows[0], decay, len(parameter))

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: Adam's moments and steps, parameter by parameter."""
        return {
            kind: [dict(adam.state.get(parameter, {})) for parameter in self._trained]
            for kind, adam in self._adams.items()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for kind, adam in self._adams.items():
            for parameter, moments in zip(self._trained, state[kind], strict=True):
                if moments:
                    adam.state[parameter] = {
                        name: part.to(parameter.device) if torch.is_tensor(part) else part
                        for name, part in moments.items()
                    }
