"""What a fit asks of the data and the processes, and what its checkpoints are known by."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scipy.sparse as sp

import recvae
from recvae import options
from recvae.data.interactions import Interactions, require_ids, require_same_items
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.engine import processes
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.trainer import OnEpoch
from recvae.errors import DataError, OptionError

if TYPE_CHECKING:
    from recvae.models.contract.recommender import Recommender


@dataclass(frozen=True)
class FitContext:
    """What goes along with one fit.

    Attributes:
        on_epoch: is told of each epoch.
        checkpoints: where the state is kept after epochs.
    """

    on_epoch: OnEpoch | None = None
    checkpoints: Checkpoints | None = None

    def part(self, name: str) -> Path | None:
        """Where a model that the fitted one is made of keeps its checkpoints."""
        return None if self.checkpoints is None else self.checkpoints.folder / name


def checked_data(
    model: "Recommender",
    given: Interactions | Shards | sp.csr_matrix,
    validation: Holdout | None,
) -> Interactions | Shards:
    """The training data, if the model can learn from them and they match the validation users.

    Raises:
        DataError: nothing to learn from, or validation items that are not the training items.
        OptionError: the model needs all users in memory, and these are shards.
    """
    data = given if isinstance(given, Shards) else Interactions.from_matrix(given)
    if isinstance(data, Shards) and not model.supports_shards:
        raise OptionError(
            f"{type(model).__name__} needs all users in memory and can't learn from shards: use "
            "one that can, such as MultVAE, or read the table."
        )
    if not data.item_counts.any():
        raise DataError("there is no interaction to learn from.")
    if validation is not None:
        _require_items(validation, data)
    require_ids(data.item_ids, "item")
    if not model.supports_new_users:
        require_ids(data.user_ids, "user")
    return data


def _require_items(validation: Holdout, data: Interactions | Shards) -> None:
    """Raise DataError unless validation users have the training items."""
    Holdout.require(validation)
    if validation.fold_in.shape[1] != data.shape[1]:
        raise DataError(
            f"validation has {validation.fold_in.shape[1]} items, training {data.shape[1]}: "
            "both must have the same columns, as the functions of recvae.data.splits make them."
        )
    require_same_items(validation.item_ids, data.item_ids)


def check_processes(model: "Recommender") -> None:
    """Raise OptionError if there are processes that can't share the training of a model."""
    together = processes.current()
    if together.everyone.size > 1 and not model.parallel_over:
        raise OptionError(f"{type(model).__name__} is fitted by one process: leave out torchrun.")
    if together.items.size > 1 and "items" not in model.parallel_over:
        raise OptionError(
            f"the items of {type(model).__name__} can't be shared: choose item_shards=1, which "
            "shares the users."
        )


def checkpoints_in(
    folder: str | PathLike[str] | None, model: "Recommender", validation: Holdout | None
) -> Checkpoints | None:
    """This process's part of the checkpoints in a folder, for a model that knows its data."""
    if folder is None:
        return None
    together = processes.current()
    rank = together.everyone.rank
    own = Path(folder, f"process-{rank}" if rank else "").expanduser()
    grid = {"grid of processes": f"{together.users.size} x {together.items.size}"}
    return Checkpoints(own, _about(model, validation) | grid, together.everyone)


def _about(model: "Recommender", validation: Holdout | None) -> dict[str, Any]:
    """All that decides what `fit` learns, by name."""
    parts = (validation.fold_in, validation.held_out) if validation else ()
    facts = {
        "recvae": recvae.__version__,
        "model": model.name,
        "data": model.fingerprint_,
        "validation": [Interactions.from_matrix(part).fingerprint() for part in parts],
    }
    return facts | options.values(model)
