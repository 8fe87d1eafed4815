"""Devices: which one tensors live on, of which type, and how precisely it multiplies."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Literal, TypeAlias

import torch

from recvae.engine.switch import Switch
from recvae.errors import OptionError

SHAPES = "64"
"""For how many shapes of products oneDNN keeps its compiled code, about a megabyte each.

A training has about thirty shapes. oneDNN reads this before its first product; its own default is a
thousand.
"""
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", SHAPES)
os.environ.setdefault("LRU_CACHE_CAPACITY", SHAPES)  # PyTorch's own, beside it

Precision: TypeAlias = Literal["auto", "bfloat16", "float32"]


def resolve(name: str) -> torch.device:
    """Turn "auto" into the best device of this machine; check that any other name can be used.

    Raises:
        OptionError: no such device on this machine.
    """
    if name == "auto":
        return torch.device(_best())
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(
            f"device={name!r} can't be used here ({reason}): try device='auto' or 'cpu'."
        ) from error
    return device


def products(precision: Precision, device: torch.device) -> torch.dtype:
    """The type to multiply large matrices in; "auto" is bfloat16 where the device has it."""
    if precision == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device.type) else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def multiplying(precision: torch.dtype) -> AbstractContextManager[None]:
    """A context in which float32 matrices are multiplied in a precision and summed in float32.

    On CPUs PyTorch's "medium" precision uses another library, oneDNN. Without AMX, oneDNN
    multiplies float32 unrounded and at least as fast, so that "medium" serves for float32 too.
    """
    if precision == torch.bfloat16 or _keeps_float32():
        return _MEDIUM.on()
    return nullcontext()


@contextmanager
def usual() -> Iterator[None]:
    """A context, or a decorator, for what learns or makes nets, whatever its caller has set.

    New tensors are float32, and have gradients, within `torch.no_grad` and `inference_mode` too.
    """
    with _FLOAT32.on(), torch.inference_mode(False):  # which turns gradients on, too
        yield


_FLOAT32 = Switch.to(torch.float32, torch.get_default_dtype, torch.set_default_dtype)
_MEDIUM = Switch.to(
    "medium", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
)


@cache
def _multiplies_bfloat16(kind: str) -> bool:
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and bool(_instructions() & {"avx512_bf16", "amx_bf16"})


def multiplies_int8(device: torch.device) -> bool:
    """Whether a device is a CPU with instructions for products of 8-bit integers."""
    return device.type == "cpu" and bool(_instructions() & {"avx512_vnni", "avx_vnni"})


@cache
def _keeps_float32() -> bool:
    there = _instructions()
    return "avx512_f" in there and "amx_bf16" not in there and not torch.cuda.is_available()


def _instructions() -> set[str]:
    """The names of the instruction sets that the CPU has."""
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return {name for name, is_there in known.items() if is_there is True}


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
