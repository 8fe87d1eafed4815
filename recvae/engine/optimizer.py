"""Optimizer: Adam for a part of a net."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from recvae.engine.groups import ALONE, Group
from recvae.engine.states import require_like

BETAS, EPSILON = (0.9, 0.999), 1e-8
LAST = "last"
"""When a row was used last, for parameters whose gradients are by rows; other names are Adam's."""


class Optimizer:
    """Adam; only matrices are decayed, no biases and no gains.

    Where a gradient is sparse, only its rows change, and decay. What their moments would have done
    meanwhile, had their gradients been 0, is made up for first, so a row that is not used again
    goes without.

    Args:
        net: what to train, in place.
        part: the start of the names of the parameters to train; "" means all.
        learning_rate: Adam's.
        l2: coefficient of the sum of squared weights, whose gradient is added to the loss's.
        group: the processes that share the users of a batch, whose gradients are added up.
    """

    def __init__(
        self, net: nn.Module, part: str, learning_rate: float, l2: float, group: Group = ALONE
    ) -> None:
        chosen = [p for name, p in net.named_parameters() if name.startswith(part)]
        matrices, vectors = ([p for p in chosen if (p.ndim > 1) is kind] for kind in (True, False))
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": 2 * l2},
            {"params": vectors},
        ]
        self.adam = torch.optim.Adam(groups, lr=learning_rate, betas=BETAS, eps=EPSILON, fused=True)
        self._net, self._trained, self._group = net, [*matrices, *vectors], group
        self._learning_rate, self._decay = learning_rate, 2 * l2

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """Let only its part of the net have gradients."""
        self._net.requires_grad_(False)
        for parameter in self._trained:
            parameter.requires_grad_(True)
        try:
            yield
        finally:
            self._net.requires_grad_(True)

    def step(self, loss: torch.Tensor, lr_factor: float = 1.0) -> None:
        """Descend by the gradients of a loss, at a share of the learning rate."""
        for group in self.adam.param_groups:
            group["lr"] = lr_factor * self._learning_rate
        gradients = [self._group.sum(one) for one in torch.autograd.grad(loss, self._trained)]
        for parameter, gradient in zip(self._trained, gradients, strict=True):
            if gradient.is_sparse:
                self._step_rows(parameter, gradient.coalesce(), lr_factor * self._learning_rate)
            parameter.grad = None if gradient.is_sparse else gradient.contiguous()
        self.adam.step()

    @torch.no_grad()
    def _step_rows(self, parameter: nn.Parameter, gradient: torch.Tensor, rate: float) -> None:
        """Adam's step in the rows of a sparse gradient, after those that they have missed."""
        rows, values = gradient.indices()[0], gradient.values()
        state = self.adam.state[parameter] or self._begin(parameter)
        missed = state["step"] - state[LAST].index_select(0, rows)
        state["step"] += 1
        state[LAST].index_fill_(0, rows, state["step"].item())
        wholes = parameter, state["exp_avg"], state["exp_avg_sq"]
        weights, first, second = (whole.index_select(0, rows) for whole in wholes)
        corrections = [1 - beta ** state["step"].item() for beta in BETAS]
        _catch_up(weights, first, second, missed[:, None], rate, corrections)
        if self._decay:
            values = values.add(weights, alpha=self._decay)
        first.lerp_(values, 1 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(values, values, value=1 - BETAS[1])
        weights.addcdiv_(first, _scale(second, corrections[1]), value=-rate / corrections[0])
        for whole, part in zip(wholes, (weights, first, second), strict=True):
            whole.index_copy_(0, rows, part)

    def _begin(self, parameter: nn.Parameter) -> dict[str, torch.Tensor]:
        state = self.adam.state[parameter]
        state["step"], state[LAST] = torch.zeros(()), parameter.new_zeros(len(parameter))
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
    one = torch.ones((), dtype=torch.float32)
    kinds = {"step": one, "exp_avg": parameter, "exp_avg_sq": parameter}
    if LAST in moments:
        kinds[LAST] = parameter.new_empty(len(parameter))
    taken = {name: moments[name] for name in kinds}
    require_like(taken.values(), kinds.values())
    if not taken["step"] >= taken.get(LAST, one).max():
        raise ValueError(f"Adam has made {taken['step']} steps")
    steps = taken["step"] if LAST in taken else taken["step"].to(parameter.device)
    return {name: part.to(parameter.device) for name, part in taken.items()} | {"step": steps}


def _catch_up(
    weights: torch.Tensor,
    first: torch.Tensor,
    second: torch.Tensor,
    missed: torch.Tensor,
    rate: float,
    corrections: list[float],
) -> None:
    """Make the steps that rows have missed, by gradients of 0, at the scale of the last."""
    decay = BETAS[0] ** missed
    momentum = first * (BETAS[0] * (1 - decay) / (1 - BETAS[0]))
    weights.addcdiv_(momentum, _scale(second, corrections[1]), value=-rate / corrections[0])
    first.mul_(decay)
    second.mul_(BETAS[1] ** missed)


def _scale(second: torch.Tensor, correction: float) -> torch.Tensor:
    return (second / correction).sqrt_().add_(EPSILON)
