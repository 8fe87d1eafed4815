"""Run cache: keeps the values of each fit in a file, so that no model is fitted twice."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recvae import options
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout, Split
from recvae.disk import atomic
from recvae.evaluation.evaluate import Report
from recvae.experiments.runs import Run
from recvae.models.contract.recommender import Recommender

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunCache:
    """A folder with a Parquet file for each run: the users' values, and what else was measured.

    A file's name begins with the model's, and tells its options, the split, the metrics and the
    version of recvae from any others, so that none of them is taken for another.

    Raises:
        WriteError: the folder can't be made.
    """

    folder: Path
    metrics: Sequence[str]

    def __post_init__(self) -> None:
        atomic.make_folder(self.folder)

    def get(self, model: Recommender, split: Split, measure: Callable[[], Run]) -> Run:
        """Read the run of a model and a split, or measure it and keep it."""
        name = type(model).__name__.lower()
        path = self.folder / f"{name}-{self._fingerprint(model, split)}.parquet"
        if path.is_file():
            try:
                return _read(path, model)
            except (OSError, ValueError, KeyError, TypeError):
                logger.warning("%s is damaged: it is measured again.", path)
        run = measure()
        _write(run, path)
        return run

    def _fingerprint(self, model: Recommender, split: Split) -> str:
        """16 hexadecimal digits of a SHA-256 of all that a run depends on."""
        facts = {
            "recvae": version("recvae"),
            "options": options.values(model),
            "metrics": list(self.metrics),
            "split": _of_split(split),
        }
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _of_split(split: Split) -> list[Any]:
    return [split.train.fingerprint(), *map(_of_holdout, (split.validation, split.test))]


def _of_holdout(holdout: Holdout) -> list[Any]:
    matrices = [Interactions.from_matrix(part) for part in (holdout.fold_in, holdout.held_out)]
    names = [None if ids is None else _digest(ids) for ids in (holdout.user_ids, holdout.rows)]
    return [*(matrix.fingerprint() for matrix in matrices), *names, holdout.n_dropped]


def _digest(ids: pd.Index | np.ndarray) -> str:
    hashes = pd.util.hash_pandas_object(pd.Index(ids), index=False)
    return hashlib.sha256(hashes.to_numpy().data).hexdigest()[:16]


def _write(run: Run, path: Path) -> None:
    """Write to a draft, then put it in place: there is never half a file."""
    per_user = run.report.per_user.copy()
    per_user.attrs.update(_facts(run))
    with atomic.draft_for_user(path) as draft:
        per_user.to_parquet(draft)


def _facts(run: Run) -> dict[str, Any]:
    report = run.report
    return {
        "mean": report.mean.to_dict(),
        "n_users": report.n_users,
        "n_skipped": report.n_skipped,
        "seconds": report.seconds,
        "curve": run.curve.to_dict(),
        "training_seconds": run.training_seconds,
        "n_parameters": run.n_parameters,
        "n_bytes": run.n_bytes,
        "history": None if run.history is None else run.history.to_dict("list"),
    }


def _read(path: Path, model: Recommender) -> Run:
    per_user = pd.read_parquet(path)
    facts = dict(per_user.attrs)
    per_user.attrs.clear()
    report = Report(
        mean=pd.Series(facts["mean"]),
        per_user=per_user,
        n_users=facts["n_users"],
        n_skipped=facts["n_skipped"],
        seconds=facts["seconds"],
    )
    return Run(
        model=model,
        report=report,
        curve=pd.Series(facts["curve"]),
        training_seconds=facts["training_seconds"],
        n_parameters=facts["n_parameters"],
        n_bytes=facts["n_bytes"],
        history=None if facts["history"] is None else pd.DataFrame(facts["history"]),
    )
