"""States: checks of the values that are loaded into a training or a model; ValueError if wrong.

A file with a right checksum may still belong to something else. What is not refused here would fail
much later, in the middle of a training step.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

MOST = 2**53
"""Up to here, every whole number can be stored exactly as a float."""


def count(value: Any, least: int = 0, most: int = MOST) -> int:
    """Give back a whole number; raise ValueError unless it is from `least` to `most`."""
    number = int(value)
    if not least <= number <= most:
        raise ValueError(f"{number} is not from {least} to {most}")
    return number


def require_like(tensors: Iterable[torch.Tensor], others: Iterable[torch.Tensor]) -> None:
    """Raise ValueError unless tensors have the shapes and types of others, one by one."""
    for tensor, other in zip(tensors, others, strict=True):
        if (tensor.shape, tensor.dtype) != (other.shape, other.dtype):
            raise ValueError(
                f"a tensor is {tensor.dtype} of shape {tuple(tensor.shape)}, not {other.dtype} of "
                f"{tuple(other.shape)}"
            )


def of_shape(tensor: torch.Tensor, *shape: int) -> torch.Tensor:
    """Give back a tensor; raise ValueError unless it is float32 of this shape."""
    require_like([tensor], [torch.empty(shape, dtype=torch.float32, device="meta")])
    return tensor


def require_finite(state: Mapping[str, torch.Tensor]) -> None:
    """Raise ValueError unless all numbers of all tensors are finite."""
    for name, tensor in state.items():
        if tensor.numel() and not torch.stack(tensor.aminmax()).isfinite().all():
            raise ValueError(f"the tensor {name} is not finite")
