"""Groups: processes that each have a part of something, and what they tell each other."""

from dataclasses import dataclass
from typing import Any, Self, cast

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Group:
    """Processes that each have a part of something.

    Attributes:
        rank: which of them this one is.
        size: how many there are.
        handle: what PyTorch knows them by; None for one alone.
    """

    rank: int = 0
    size: int = 1
    handle: dist.ProcessGroup | None = None

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def part(self, n: int) -> slice:
        """Which of n things, in order, are this one's."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def max(self, number: float) -> float:
        """The greatest number that one of them has."""
        if self.size == 1:
            return number
        numbers = torch.tensor(number, dtype=torch.float64)
        dist.all_reduce(numbers, dist.ReduceOp.MAX, self.handle)
        return numbers.item()

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of what each has; what was given is not to be used again."""
        if self.size > 1:
            tensor = tensor.contiguous()
            dist.all_reduce(tensor, group=self.handle)
        return tensor

    def all_gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """What each has, of one shape: [size, ...]."""
        if self.size == 1:
            return tensor[None]
        all_of_it = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(all_of_it, tensor.contiguous(), self.handle)
        return torch.stack(all_of_it)

    def join(self, own: torch.Tensor, n: int) -> torch.Tensor:
        """All of n things, [n, ...], of which each has its part."""
        if self.size == 1:
            return own
        everything = own.new_empty(n, *own.shape[1:])
        everything[self.part(n)] = own
        for rank, process in enumerate(dist.get_process_group_ranks(self.handle)):
            dist.broadcast(everything[Group(rank, self.size).part(n)], process, self.handle)
        return everything

    def total(self, summand: torch.Tensor) -> torch.Tensor:
        """The sum of what each has, differentiable in one's own."""
        if self.size == 1:
            return summand
        return cast(torch.Tensor, _Total.apply(summand, self))  # type: ignore[no-untyped-call]


ALONE = Group()


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, summand: torch.Tensor, group: Group) -> torch.Tensor:
        return group.sum(summand.clone())

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient, None
