"""Groups: processes that each hold a part of something, and the sums and copies they exchange."""

from dataclasses import dataclass
from typing import Any, Self, cast

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Group:
    """The processes along one side of the grid: each holds a part of the users, or of the items.

    All methods do nothing in a group of one. Otherwise every process of the group must call them,
    in the same order.

    Attributes:
        rank: the number of this process in the group, from 0.
        size: how many processes the group has.
        handle: PyTorch's process group; None for a group of one.
    """

    rank: int = 0
    size: int = 1
    handle: dist.ProcessGroup | None = None

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def part(self, n: int) -> slice:
        """The slice of n things that this process holds."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def max(self, number: float) -> float:
        """The largest of the numbers that the processes give."""
        if self.size == 1:
            return number
        numbers = torch.tensor(number, dtype=torch.float64)
        dist.all_reduce(numbers, dist.ReduceOp.MAX, self.handle)
        return numbers.item()

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of the tensors that the processes give; it may overwrite what was given."""
        if self.size > 1:
            tensor = tensor.contiguous()
            dist.all_reduce(tensor, group=self.handle)
        return tensor

    def all_gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensors of all processes, of one shape, stacked: [size, ...]."""
        if self.size == 1:
            return tensor[None]
        all_of_it = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(all_of_it, tensor.contiguous(), self.handle)
        return torch.stack(all_of_it)

    def join(self, own: torch.Tensor, n: int) -> torch.Tensor:
        """All n rows, [n, ...], put together from the part that each process gives."""
        if self.size == 1:
            return own
        everything = own.new_empty(n, *own.shape[1:])
        everything[self.part(n)] = own
        for rank, process in enumerate(dist.get_process_group_ranks(self.handle)):
            dist.broadcast(everything[Group(rank, self.size).part(n)], process, self.handle)
        return everything

    def total(self, summand: torch.Tensor) -> torch.Tensor:
        """The sum of the tensors that the processes give; its gradient reaches one's own."""
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
