"""Devices: where the tensors live."""

import torch

from recvae.errors import OptionError


def resolve(name: str) -> torch.device:
    """Turn "auto" into the best device there is, and check that any other is there.

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


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
