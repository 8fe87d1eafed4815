"""Optimizer: Adam for a part of a net."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from recvae.errors import TrainingError
from recvae.groups import ALONE, Group
from recvae.states import require_like

BETAS, EPSILON = (0.9, 0.999), 1e-8
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""Adam's names of them."""


class Optimizer:
    """Adam; only matrices are decayed, no biases and no gains.

    Where a gradient is sparse, only its rows change, their moments and what is decayed of them.

    Args:
        net: what to train, in place.
        part: the start of the names of the parameters to train; "" means all.
        learning_rate: Adam's.
        l2: coefficient of the sum of squared weights, whose gradient is added to the loss's.
        sharing: the processes that share the users of a batch, whose gradients are added up.
    """

    def __init__(
        self, net: nn.Module, part: str, learning_rate: float, l2: float, sharing: Group = ALONE
    ) -> None:
        chosen = [p for name, p in net.named_parameters() if name.startswith(part)]
        matrices, vectors = ([p for p in chosen if (p.ndim > 1) is kind] for kind in (True, False))
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": 2 * l2},
            {"params": vectors},
        ]
        self.adam = torch.optim.Adam(groups, lr=learning_rate, betas=BETAS, eps=EPSILON, fused=True)
        self._net, self._trained, self._sharing = net, [*matrices, *vectors], sharing
        self._learning_rate, self._decay = learning_rate, 2 * l2

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

    def step(self, loss: torch.Tensor, rate_share: float = 1.0) -> None:
        """Descend by the gradients of a loss, at a share of the learning rate."""
        for group in self.adam.param_groups:
            group["lr"] = rate_share * self._learning_rate
        gradients = [self._sum(one) for one in torch.autograd.grad(loss, self._trained)]
        for parameter, gradient in zip(self._trained, gradients, strict=True):
            if gradient.is_sparse:
                self._step_rows(parameter, gradient.coalesce(), rate_share * self._learning_rate)
            parameter.grad = None if gradient.is_sparse else gradient
        self.adam.step()

    def _sum(self, gradient: torch.Tensor) -> torch.Tensor:
        if gradient.is_sparse and self._sharing.size > 1:
            raise TrainingError(
                f"the gradients of {len(gradient):,} items are by rows, which processes that share "
                "the users can't add up: let all of them share the items."
            )
        return self._sharing.sum(gradient)

    @torch.no_grad()
    def _step_rows(self, parameter: nn.Parameter, gradient: torch.Tensor, rate: float) -> None:
        """Adam's step in the rows of a sparse gradient, which counts all steps, its own or not."""
        rows, values = gradient.indices()[0], gradient.values()
        state = self.adam.state[parameter] or self._begin(parameter)
        state["step"] += 1
        wholes = parameter, state["exp_avg"], state["exp_avg_sq"]
        weights, first, second = (whole.index_select(0, rows) for whole in wholes)
        if self._decay:
            values = values.add(weights, alpha=self._decay)
        first.lerp_(values, 1 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(values, values, value=1 - BETAS[1])
        corrections = [1 - beta ** state["step"].item() for beta in BETAS]
        scale = (second / corrections[1]).sqrt_().add_(EPSILON)
        weights.addcdiv_(first, scale, value=-rate / corrections[0])
        for whole, part in zip(wholes, (weights, first, second), strict=True):
            whole.index_copy_(0, rows, part)

    def _begin(self, parameter: nn.Parameter) -> dict[str, torch.Tensor]:
        state = self.adam.state[parameter]
        state["step"] = torch.zeros((), dtype=torch.float32)
        state["exp_avg"], state["exp_avg_sq"] = (torch.zeros_like(parameter) for _ in BETAS)
        return state

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: Adam's moments and steps, parameter by parameter."""
        return {"moments": [dict(self.adam.state[parameter]) for parameter in self._trained]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for parameter, moments in zip(self._trained, state["moments"], strict=True):
            self.adam.state[parameter] = _checked(moments, parameter) if moments else {}


def _checked(moments: dict[str, torch.Tensor], parameter: nn.Parameter) -> dict[str, torch.Tensor]:
    """The moments of a parameter that has made steps, on its device."""
    taken = {name: moments[name] for name in MOMENTS}
    require_like(taken.values(), [torch.ones((), dtype=torch.float32), parameter, parameter])
    if not taken["step"] >= 1:
        raise ValueError(f"Adam has made {taken['step']} steps")
    return {name: tensor.to(parameter.device) for name, tensor in taken.items()}
