"""Optimizer: Adam for a part of a net; lazy for parameters with sparse gradients.

`torch.optim.adam.adam` is the step of `torch.optim.Adam`, whose class loads torch's compiler: two
seconds before the first step of a training.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.adam import adam

from recvae.engine.groups import ALONE, Group
from recvae.engine.states import require_like

BETAS, EPSILON = (0.9, 0.999), 1e-8
LAST = "last"
"""In a parameter's state: the step in which each row was last used, if its gradients are sparse.

The other names in the state are those of `torch.optim.Adam`.
"""


class Optimizer:
    """Adam with weight decay of the matrices, but not of biases and gains.

    A sparse gradient changes only the rows that it has: lazy Adam. A row that was not used for some
    steps first makes up for these steps, as if its gradients had been 0 in them (without weight
    decay). A row that is never used again never makes up for them.

    Args:
        net: what to train, in place.
        part: only parameters whose names begin with this are trained; "" means all.
        learning_rate: Adam's.
        l2: weight decay: this times the sum of squared weights is added to the loss, by its
            gradient.
        group: the data parallel processes, whose gradients are added up.
    """

    def __init__(
        self, net: nn.Module, part: str, learning_rate: float, l2: float, group: Group = ALONE
    ) -> None:
        chosen = [p for name, p in net.named_parameters() if name.startswith(part)]
        matrices, vectors = ([p for p in chosen if (p.ndim > 1) is kind] for kind in (True, False))
        self._net, self._trained, self._group = net, [*matrices, *vectors], group
        self._learning_rate, self._decay = learning_rate, 2 * l2
        self._states: dict[nn.Parameter, dict[str, torch.Tensor]] = {p: {} for p in self._trained}

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """A context in which only the parameters of this optimizer have gradients."""
        self._net.requires_grad_(False)
        for parameter in self._trained:
            parameter.requires_grad_(True)
        try:
            yield
        finally:
            self._net.requires_grad_(True)

    def step(self, loss: torch.Tensor, lr_factor: float = 1.0) -> None:
        """Make a step by the gradients of a loss, with `lr_factor` times the learning rate."""
        rate = lr_factor * self._learning_rate
        whole: dict[nn.Parameter, torch.Tensor] = {}
        gradients = [self._group.sum(one) for one in torch.autograd.grad(loss, self._trained)]
        for parameter, gradient in zip(self._trained, gradients, strict=True):
            if gradient.is_sparse:
                self._step_rows(parameter, gradient.coalesce(), rate)
            else:
                whole[parameter] = gradient.contiguous()
        self._step_wholes(whole, rate)

    @torch.no_grad()
    def _step_wholes(self, gradients: dict[nn.Parameter, torch.Tensor], rate: float) -> None:
        """Make Adam's step by gradients that are not sparse."""
        for of_matrices, decay in ((True, self._decay), (False, 0.0)):
            some = {p: one for p, one in gradients.items() if (p.ndim > 1) is of_matrices}
            states = [self._states[p] or self._begin(p, sparse=False) for p in some]
            first, second = ([one[name] for one in states] for name in ("exp_avg", "exp_avg_sq"))
            adam(
                [*some], [*some.values()], first, second, [], [s["step"] for s in states],
                lr=rate, beta1=BETAS[0], beta2=BETAS[1], eps=EPSILON, weight_decay=decay,
                fused=True, amsgrad=False, maximize=False,
            )  # fmt: skip

    @torch.no_grad()
    def _step_rows(self, parameter: nn.Parameter, gradient: torch.Tensor, rate: float) -> None:
        """Make Adam's step in the rows of a sparse gradient, after the steps that they missed."""
        rows, values = gradient.indices()[0], gradient.values()
        state = self._states[parameter] or self._begin(parameter, sparse=True)
        # How many steps each row missed: those since it was last used, but for the present one.
        missed = state["step"] - state[LAST].index_select(0, rows)
        state["step"] += 1
        state[LAST].index_fill_(0, rows, state["step"].item())
        # Copy the used rows out, update the copies, and write them back at the end.
        wholes = parameter, state["exp_avg"], state["exp_avg_sq"]
        weights, first, second = (whole.index_select(0, rows) for whole in wholes)
        corrections = [1 - beta ** state["step"].item() for beta in BETAS]
        _catch_up(weights, first, second, missed[:, None], rate, corrections)
        # From here on it is Adam as published: gradient with decay, both moments, the step.
        if self._decay:
            values = values.add(weights, alpha=self._decay)
        first.lerp_(values, 1 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(values, values, value=1 - BETAS[1])
        weights.addcdiv_(first, _scale(second, corrections[1]), value=-rate / corrections[0])
        for whole, part in zip(wholes, (weights, first, second), strict=True):
            whole.index_copy_(0, rows, part)

    def _begin(self, parameter: nn.Parameter, *, sparse: bool) -> dict[str, torch.Tensor]:
        state = self._states[parameter]
        state["step"] = torch.zeros((), device="cpu" if sparse else parameter.device)
        state["exp_avg"], state["exp_avg_sq"] = (torch.zeros_like(parameter) for _ in BETAS)
        if sparse:
            state[LAST] = parameter.new_zeros(len(parameter))
        return state

    def state_dict(self) -> dict[str, Any]:
        """Adam's moments and step counts, parameter by parameter, for `load_state_dict`."""
        return {"moments": [dict(self._states[parameter]) for parameter in self._trained]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for parameter, moments in zip(self._trained, state["moments"], strict=True):
            self._states[parameter] = _checked(moments, parameter) if moments else {}


def _checked(moments: dict[str, torch.Tensor], parameter: nn.Parameter) -> dict[str, torch.Tensor]:
    """A parameter's saved moments, on its device; ValueError if they don't fit it."""
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
    """Make up for the steps that rows missed, in closed form, as if their gradients had been 0.

    The second moment is held at its last value meanwhile, which makes the sum a geometric one.
    """
    # In the j-th missed step the first moment is b^j times what it was, b = BETAS[0]. The weights
    # move by the sum of these: b + b^2 + ... + b^missed = b (1 - b^missed) / (1 - b).
    decay = BETAS[0] ** missed
    momentum = first * (BETAS[0] * (1 - decay) / (1 - BETAS[0]))
    weights.addcdiv_(momentum, _scale(second, corrections[1]), value=-rate / corrections[0])
    # Both moments have shrunk by their own factor in each missed step.
    first.mul_(decay)
    second.mul_(BETAS[1] ** missed)


def _scale(second: torch.Tensor, correction: float) -> torch.Tensor:
    return (second / correction).sqrt_().add_(EPSILON)
