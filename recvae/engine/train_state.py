"""TrainState: everything that changes during a training, and so must be in a checkpoint."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from recvae.engine.batches import Batches
from recvae.engine.optimizer import Optimizer
from recvae.engine.phases import RECORDED, EpochTotals, Phase
from recvae.engine.states import count
from recvae.engine.weights import Average, BestWeights, copy


@dataclass
class TrainState:
    """Everything that changes while a net is trained.

    Attributes:
        net: the module that learns.
        phases: the parts of an epoch.
        optimizers: one for each phase.
        batches: the training users, and the place in their order.
        average: the average of the weights over the steps, which is judged and kept instead of the
            last weights; None to keep the last.
        noise: the generator that the phases draw from.
        metric: the name of the validation metric; None if there is no validation.
        steps: number of training steps made so far.
        history: a dict for each finished epoch.
        totals: the loss terms of the present epoch so far; None between two epochs.
        best: the best weights so far.
    """

    net: nn.Module
    phases: Sequence[Phase]
    optimizers: Sequence[Optimizer]
    batches: Batches
    average: Average | None
    noise: torch.Generator | None
    metric: str | None
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    totals: EpochTotals | None = None
    best: BestWeights = field(init=False)

    def __post_init__(self) -> None:
        self.best = BestWeights(self.net)

    def judged(self) -> AbstractContextManager[None]:
        """A context in which the net has the weights to judge and keep: the average, if any."""
        return self.average.in_place() if self.average else nullcontext()

    def begin_epoch(self) -> EpochTotals:
        """The totals of an unfinished epoch that was loaded, or new ones."""
        self.totals = self.totals or EpochTotals(torch.zeros(3, device=self.batches.source.device))
        return self.totals

    def end(self) -> None:
        """Put the best weights into the net; without validation, the last (or their average)."""
        if self.average:
            self.average.swap()
        self.best.restore()
        self.net.eval()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the training depends on; to be taken between two steps."""
        return {
            "parameters": list(self.net.parameters()),
            "parts": {name: part.state_dict() for name, part in self._parts().items()},
            "noise": self.noise and self.noise.get_state(),
            "totals": self.totals and self.totals.state_dict(),
            "steps": self.steps,
            "history": self.history,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        copy(state["parameters"], self.net.parameters())
        for name, part in self._parts().items():
            part.load_state_dict(state["parts"][name])
        if self.noise:
            self.noise.set_state(state["noise"])
        if state["totals"]:
            self.begin_epoch().load_state_dict(state["totals"])
        self.steps, self.history = count(state["steps"]), self._past(state["history"])

    def _parts(self) -> dict[str, Any]:
        """The objects that have a `state_dict` of their own, by name."""
        parts: dict[str, Any] = {"best": self.best, "batches": self.batches}
        parts |= {"average": self.average} if self.average else {}
        for number, (one, optimizer) in enumerate(zip(self.phases, self.optimizers, strict=True)):
            parts[f"optimizer{number}"] = optimizer
            if one.memory is not None:
                parts[f"memory{number}"] = one.memory
        return parts

    def _past(self, history: list[dict[str, float]]) -> list[dict[str, float]]:
        """A history from a saved state; every epoch must have all of its columns, as numbers."""
        names = (*RECORDED, self.metric) if self.metric else RECORDED
        return [
            {"epoch": number, **{name: float(record[name]) for name in names}}
            for number, record in enumerate(history, 1)
        ]
