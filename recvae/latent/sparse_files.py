"""Sparse files: saves sparse codes to a folder of safetensors and JSON. Nothing is unpickled."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save, save_file

from recvae.disk import atomic
from recvae.disk.manifest import DifferentError, MissingError
from recvae.disk.store import Store, sha256
from recvae.engine.states import require_finite
from recvae.errors import MissingFileError, ModelFileError
from recvae.models.families.autoencoder import AutoencoderRecommender

KIND = "sparse-codes"


def write(
    folder: Path, options: dict[str, Any], model: AutoencoderRecommender, state: dict[str, Any]
) -> None:
    """Write options and tensors in one step; old ones are replaced. WriteError if it can't be."""
    files = {"codes.safetensors": partial(save_file, _saved(state))}
    with atomic.writing_to(folder):
        Store(folder, KIND).save(files, about=_about(model), facts=options)


@contextmanager
def reading(
    folder: Path, model: AutoencoderRecommender
) -> Iterator[tuple[dict[str, Any], dict[str, torch.Tensor]]]:
    """A context with options and tensors of sparse codes of a model, to build them of.

    Whatever goes wrong with a file or in the context becomes MissingFileError or ModelFileError.
    """
    try:
        stored = Store(folder, KIND).read(_about(model))
        state = load(stored.read("codes"))
        require_finite(state)
        yield stored.facts, state
    except MissingError:
        raise MissingFileError(
            f"there are no sparse codes in {folder}: save some with codes.save(...)."
        ) from None
    except DifferentError:
        raise ModelFileError(
            f"{folder} is of another model: give the one that it was fitted to."
        ) from None
    except Exception as error:  # whatever a parser makes of a damaged file
        raise ModelFileError(
            f"{folder} is damaged ({error}): fit the sparse codes again."
        ) from error


def _about(model: AutoencoderRecommender) -> dict[str, str]:
    """Facts that identify a model's weights."""
    return {"model": sha256(save(_saved(model.state())))}


def _saved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
