"""Storage: a fitted model as a folder of safetensors, Parquet and JSON. Nothing is unpickled.

The folder is a store (`recvae.disk.store`): after a crash at any moment it has the old model or the
new one. A model may be a stranger's: everything in it is checked before it is used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from annotated_types import Ge, Lt
from pydantic import BaseModel, ConfigDict, FiniteFloat, Strict, StringConstraints
from safetensors.torch import load, save_file

import recvae
from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions
from recvae.disk import atomic
from recvae.disk.manifest import DamagedError, MissingError, one_error
from recvae.disk.paths import path_of
from recvae.disk.store import Fill, Store, Stored
from recvae.disk.untrusted import csr_of, read_table, require_readable
from recvae.engine.states import require_finite
from recvae.errors import DataError, MissingFileError, ModelFileError, OptionError
from recvae.saved.facts import Facts
from recvae.saved.origin import Origin

KIND = "model"
MANIFEST = f"{KIND}.json"
OF_FACTS = ("n_users", "fingerprint", "options", "origin", "min_weight", "item_features")
"""The facts that are in the manifest."""
KEPT = ("training_weights", "training_columns", "training_offsets")
"""The parts of the training matrix that are in the file of the weights, if the data are kept."""

Count = Annotated[int, Strict(), Ge(1), Lt(2**63)]


class ModelManifest(BaseModel):
    """The facts in `model.json` that are not in the model's other files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recvae: str
    model: str
    options: dict[str, Any]
    n_users: Count
    n_items: Count
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    origin: Origin | None
    min_weight: FiniteFloat | None = None
    item_features: list[str] | None = None


@dataclass(frozen=True, eq=False)
class Saved:
    """A fitted model as plain values.

    Attributes:
        model: the model's name, as in the registry.
        facts: the facts about its training.
        state: its learnt parameters, as named tensors.
        history: its training history, a line an epoch; None for a model without epochs.
        user_features: what it reads of users, see `Features.table`; None if it reads nothing.
    """

    model: str
    facts: Facts
    state: dict[str, torch.Tensor]
    history: pd.DataFrame | None
    user_features: pd.DataFrame | None = None


def save(saved: Saved, folder: str | PathLike[str]) -> None:
    """Write a fitted model; an old one in the folder is replaced in one step.

    If another process is saving to the folder, it waits.
    """
    folder = path_of(folder)
    with atomic.writing_to(folder):
        described = ModelManifest(
            recvae=recvae.__version__,
            model=saved.model,
            n_items=len(saved.facts.items),
            **{name: getattr(saved.facts, name) for name in OF_FACTS},
        )
        Store(folder, KIND).save(_files(saved), facts=described.model_dump(mode="json"))


def as_parquet(table: pd.DataFrame) -> pa.Table:
    """A table of items or users as it is saved; DataError if it could not be read again."""
    try:
        columns = pa.Table.from_pandas(table, preserve_index=True)
        for field in columns.schema:
            if pa.types.is_nested(field.type):
                raise pa.ArrowTypeError(f"column {field.name!r} holds {field.type}")
        require_readable(columns)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            f"a table of items or users can't be saved: {error}. Give each column values "
            "of one type, and leave out what is too long."
        ) from None
    return columns


def load_saved(described: ModelManifest, stored: Stored) -> Saved:
    """Read the files of a model, after each was verified; errors: see `as_model_file_error`.

    The weights come first: their sizes limit the sizes of all other files.
    """
    state = load(stored.read("weights"))
    counts = _checked_counts(state.pop("item_counts"), described)
    kept = {part: state.pop(part) for part in KEPT if part in state}
    tables = {role: read_table(stored.read(role)) for role in stored.files if role != "weights"}
    _require_vocabulary(tables["items"], "item", described.n_items)
    if "users" in tables:
        _require_vocabulary(tables["users"], "user", described.n_users)
    require_finite(state | kept)
    users = tables.get("users")
    facts = Facts(
        items=tables["items"],
        item_counts=counts,
        user_ids=None if users is None else users.index,
        data=_kept_data(kept, users, tables["items"]) if kept else None,
        **{name: getattr(described, name) for name in OF_FACTS},
    )
    others = (tables.get(role) for role in ("history", "user-features"))
    return Saved(described.model, facts, state, *others)


@contextmanager
def as_model_file_error(folder: Path) -> Iterator[None]:
    """A context in which every error of reading a model's folder becomes one ModelFileError."""
    try:
        yield
    except OptionError as error:
        raise ModelFileError(f"{folder / MANIFEST} is damaged: {error}") from error
    except Exception as error:
        raise ModelFileError(
            f"the model in {folder} is damaged ({error}): restore it from a copy or train again."
        ) from error


def read_manifest(folder: Path) -> tuple[ModelManifest, Stored]:
    """Read the manifest of a model's folder: the facts about the model, and its files.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: the manifest is damaged or of another version.
    """
    try:
        stored = Store(folder, KIND).read()
        with one_error():
            return ModelManifest.model_validate(stored.facts), stored
    except MissingError as error:
        raise MissingFileError(
            f"there is no model in {folder}: {error}. Save one with model.save(...)."
        ) from None
    except DamagedError as error:
        raise ModelFileError(
            f"{folder / MANIFEST} is damaged or of another version of recvae ({error}): "
            "save the model again."
        ) from error


def _files(saved: Saved) -> dict[str, Fill]:
    """A function for each file of a model that writes it."""
    facts = saved.facts
    weights = saved.state | {"item_counts": torch.from_numpy(facts.item_counts)}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    users = None if facts.user_ids is None else pd.DataFrame(index=facts.user_ids)
    if facts.data is not None:
        users, kept = facts.data.users, facts.data.matrix
        parts = kept.data, kept.indices, kept.indptr
        weights |= {name: torch.from_numpy(part) for name, part in zip(KEPT, parts, strict=True)}
    tables = {"items": facts.items, "users": users, "history": saved.history}
    tables["user-features"] = saved.user_features
    return {
        "weights.safetensors": partial(save_file, weights),
        **{
            f"{role}.parquet": partial(pq.write_table, as_parquet(table))
            for role, table in tables.items()
            if table is not None
        },
    }


def _kept_data(
    kept: dict[str, torch.Tensor], users: pd.DataFrame | None, items: pd.DataFrame
) -> Interactions:
    if users is None:
        raise ValueError("the users of the training data are missing")
    weights, columns, offsets = (kept[part].numpy() for part in KEPT)
    matrix = csr_of(weights, columns, offsets, (len(users), len(items)))
    return Interactions(matrix, users, items)


def _checked_counts(counts: torch.Tensor, described: ModelManifest) -> np.ndarray:
    if counts.shape != (described.n_items,) or counts.dtype != torch.int64:
        raise ValueError("the files disagree about the number of items")
    if counts.min() < 0 or counts.max() > described.n_users:
        raise ValueError("an item has been counted more often than there are users")
    return counts.numpy()


def _require_vocabulary(table: pd.DataFrame, name: str, n: int) -> None:
    if len(table) != n:
        raise ValueError(f"the files disagree about the number of {name}s")
    require_ids(table.index, name)
