"""Origin: when and by which code a model was fitted, and its best epoch."""

import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from pydantic import AwareDatetime, BaseModel, ConfigDict

import recvae


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
