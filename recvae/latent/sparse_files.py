"""Sparse codes on the disk: one file of safetensors. Nothing is unpickled."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from recvae.disk import atomic
from recvae.disk.untrusted import require_regular
from recvae.engine.states import require_finite
from recvae.errors import MissingFileError, ModelFileError
from recvae.models.families.autoencoder import AutoencoderRecommender


def write(
    path: Path, options: dict[str, Any], model: AutoencoderRecommender, state: dict[str, Any]
) -> None:
    """Write options and tensors, in the place of what is there, in one step.

    Raises:
        WriteError: the file can't be written.
    """
    about = {"options": json.dumps(options), "model": _digest(model)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with atomic.draft_for_user(path) as draft:
        save_file(tensors, draft, metadata=about)


def read(
    path: Path, model: AutoencoderRecommender
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read options and tensors of sparse codes of a model.

    Raises:
        MissingFileError: there is no such file.
        ModelFileError: it is damaged, or of another model.
    """
    try:
        require_regular(path)
        with safe_open(path, framework="pt") as file:
            about = file.metadata()
            options, digest = json.loads(about["options"]), about["model"]
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        require_finite(state)
    except FileNotFoundError:
        raise MissingFileError(
            f"there is no {path}: save sparse codes with codes.save(...)."
        ) from None
    except Exception as error:  # whatever a parser makes of a damaged file
        raise ModelFileError(f"{path} is damaged ({error}): fit the sparse codes again.") from error
    if digest != _digest(model):
        raise ModelFileError(f"{path} is of another model: give the one that it was fitted to.")
    return options, state


def _digest(model: AutoencoderRecommender) -> str:
    """Tells a model's weights from any other's."""
    state = {name: tensor.cpu().contiguous() for name, tensor in model.state().items()}
    return hashlib.sha256(save(state)).hexdigest()
