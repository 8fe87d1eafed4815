"""Facts: what a fitted model knows about its training, apart from its parameters."""

import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from pydantic import AwareDatetime, BaseModel, ConfigDict

import recvae
from recvae.data.interactions import Interactions


class BestEpoch(BaseModel):
    """The epoch with the best validation value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    value: float
    epoch: int

    @classmethod
    def of(cls, history: pd.DataFrame | None) -> Self | None:
        """Find the best epoch in a training history; None if there was no validation."""
        measured = [] if history is None else [name for name in map(str, history) if "@" in name]
        if history is None or not measured:
            return None
        values = history[measured[0]].to_numpy()
        best = int(np.argmax(values))
        return cls(metric=measured[0], value=values[best], epoch=history["epoch"].iloc[best])


class Origin(BaseModel):
    """What a model's parameters depend on, apart from the data and the options.

    Attributes:
        fitted: when `fit` ended.
        recvae: the version of this package.
        commit: the git commit of its code, with "-dirty" if files were changed since; None if it
            does not run from a checkout.
        python, torch, numpy: their versions.
        best: the best epoch; None for a model that is not validated in epochs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fitted: AwareDatetime
    recvae: str
    commit: str | None
    python: str
    torch: str
    numpy: str
    best: BestEpoch | None

    @classmethod
    def now(cls, history: pd.DataFrame | None) -> Self:
        """The origin of a model that was fitted just now."""
        return cls(
            fitted=datetime.now(UTC).replace(microsecond=0),
            recvae=recvae.__version__,
            commit=code_commit(Path(recvae.__file__).parents[1]),
            python=platform.python_version(),
            torch=torch.__version__,
            numpy=np.__version__,
            best=BestEpoch.of(history),
        )


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts about a training that are saved with a model's parameters.

    Attributes:
        items: DataFrame indexed by raw item id, a line per column of the training matrix.
        item_counts: int64 [items], how many training users have each item.
        n_users: number of training users.
        user_ids: raw ids of the training users, in row order; None for a model that serves new
            users.
        fingerprint: the fingerprint of the training data.
        options: the hyper-parameters that the model was fitted with.
        data: the training data, of what describes the users only what cold users are scored by;
            None if they are not kept.
        origin: when and by which code it was fitted; None during the fit.
        min_weight: the least weight of a like in the training data; None if each interaction is
            one, or if it is unknown.
        item_features: the columns of `items` by which cold items are scored; None if these are
            scored by vectors or not at all.
    """

    items: pd.DataFrame
    item_counts: np.ndarray
    n_users: int
    user_ids: pd.Index | None
    fingerprint: str
    options: dict[str, Any]
    data: Interactions | None = None
    origin: Origin | None = None
    min_weight: float | None = None
    item_features: list[str] | None = None


@cache
def code_commit(checkout: Path) -> str | None:
    """The commit that is checked out in a folder; None if it is no checkout or git is missing."""
    if not (checkout / ".git").exists():
        return None
    git = ["git", "--no-optional-locks", "-C", str(checkout)]  # a lock may outlive a full disk
    status = [*git, "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(status, capture_output=True, check=True, text=True, timeout=10)
        first, *others = told.stdout.splitlines()
        commit = first.removeprefix("# branch.oid ")
        return commit if all(line.startswith("#") for line in others) else f"{commit}-dirty"
    return None
