"""Fitting: checks of the data and the processes before a fit, and the context of the fit."""

from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

import scipy.sparse as sp
from torch import nn

from recvae.data.ids import require_ids, require_same_items
from recvae.data.interactions import Interactions
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.disk.paths import path_of
from recvae.engine import memory, processes, threads
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.trainer import OnEpoch
from recvae.errors import DataError, OptionError
from recvae.saved.storage import as_parquet


@dataclass(frozen=True)
class FitContext:
    """The context of one fit.

    Attributes:
        on_epoch: called after each epoch; None calls nothing.
        checkpoints: where the training's state is kept; None keeps none.
        shared: modules that several models fitted on the same data can use, by their source: see
            `Recommender.shareable`.
        deadline: the time, by `perf_counter`, when the fit should end; None sets no limit.
    """

    on_epoch: OnEpoch | None = None
    checkpoints: Checkpoints | None = None
    shared: dict[Hashable, nn.Module] = field(default_factory=dict)
    deadline: float | None = None

    @property
    def minutes_left(self) -> float | None:
        """The minutes until the deadline, 0 after it; None if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - perf_counter()) / 60

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A context to learn in: checkpoints are locked, and lack of memory is one clear error."""
        with (
            self.checkpoints or nullcontext(),
            memory.kept(),
            threads.considerate(),
            memory.as_training_error(),
        ):
            yield

    def part(self, name: str) -> Path | None:
        """The folder for the checkpoints of a member of the fitted model; None keeps none."""
        return None if self.checkpoints is None else self.checkpoints.folder / name


def checked_data(
    given: Interactions | Shards | sp.csr_matrix, validation: Holdout | None
) -> Interactions | Shards:
    """Give back the training data if they have interactions and the validation users' items."""
    data = given if isinstance(given, Shards) else Interactions.from_matrix(given)
    if not data.item_counts.any():
        raise DataError("there is no interaction to learn from.")
    if validation is not None:
        Holdout.require(validation)
        if validation.fold_in.shape[1] != data.shape[1]:
            raise DataError(
                f"validation has {validation.fold_in.shape[1]} items, training {data.shape[1]}: "
                "both must have the same columns, as the functions of recvae.data.splits make them."
            )
        require_same_items(validation.item_ids, data.item_ids)
    require_ids(data.item_ids, "item")
    as_parquet(data.items)
    return data


def require_parallel(name: str, axes: Collection[str]) -> None:
    """Raise OptionError unless the model can be trained in parallel as the processes are grouped.

    `axes` has "users" if it can be data parallel, "items" if tensor parallel over items.
    """
    together = processes.current()
    if together.everyone.size > 1 and not axes:
        raise OptionError(f"{name} is fitted by one process: leave out torchrun.")
    if together.items.size > 1 and "items" not in axes:
        raise OptionError(
            f"{name} can't be tensor parallel over items: choose item_shards=1, which is data "
            "parallel."
        )


def checkpoints_in(
    folder: str | PathLike[str] | None, about: Mapping[str, Any], validation: Holdout | None
) -> Checkpoints | None:
    """This process's checkpoints in a folder; `about` are facts that decide the training."""
    if folder is None:
        return None
    together = processes.current()
    rank = together.everyone.rank
    own = path_of(folder) / (f"process-{rank}" if rank else "")
    where = {
        "validation": [] if validation is None else validation.fingerprints(),
        "grid of processes": f"{together.users.size} x {together.items.size}",
    }
    return Checkpoints(own, {**about, **where}, together.everyone)
