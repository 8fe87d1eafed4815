"""Run cache: keeps the values of each fit on the disk, so that no model is fitted twice."""

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
from recvae.data.splits import Holdout, Split
from recvae.disk import atomic
from recvae.disk.manifest import MissingError
from recvae.disk.store import Store, Stored
from recvae.disk.untrusted import read_table
from recvae.evaluation.evaluate import Report
from recvae.experiments.runs import Run
from recvae.models.contract.recommender import Recommender

logger = logging.getLogger(__name__)

KIND = "run"

OF_REPORT = ("n_users", "n_skipped", "seconds", "without_disliked")
OF_RUN = ("training_seconds", "n_parameters", "n_bytes")
"""The numbers that are kept of a report and of a run as they are."""


@dataclass(frozen=True)
class RunCache:
    """A folder with a store for each run: the users' values as Parquet, and other results.

    The store's name begins with the model's name. It depends on the options, the split, the metrics
    and the version of recvae, so that no run is taken for another.
    """

    folder: Path
    metrics: Sequence[str]

    def __post_init__(self) -> None:
        atomic.make_folder(self.folder)

    def get(self, model: Recommender, split: Split, measure: Callable[[], Run]) -> Run:
        """Read the run of a model and a split, or measure it and keep it."""
        about = {
            "model": type(model).__name__.lower(),
            "recvae": version("recvae"),
            "options": options.values(model),
            "metrics": list(self.metrics),
            "split": [
                split.train.fingerprint(),
                None if split.final is None else split.final.fingerprint(),
                *map(_of_holdout, (split.validation, split.test)),
            ],
        }
        digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        store = Store(self.folder / f"{about['model']}-{digest}", KIND)
        try:
            return _read(store.read(about), model)
        except MissingError:
            pass
        except Exception as error:  # whatever a parser makes of a damaged file
            logger.warning("%s is damaged (%s): it is measured again.", store.folder, error)
        run = measure()
        with atomic.writing_to(store.folder):
            store.save(
                {"users.parquet": run.report.per_user.to_parquet}, about=about, facts=_facts(run)
            )
        return run


def _of_holdout(holdout: Holdout) -> list[Any]:
    names = [None if ids is None else _digest(ids) for ids in (holdout.user_ids, holdout.rows)]
    return [*holdout.fingerprints(), *names, holdout.n_dropped]


def _digest(ids: pd.Index | np.ndarray) -> str:
    hashes = pd.util.hash_pandas_object(pd.Index(ids), index=False)
    return hashlib.sha256(hashes.to_numpy().data).hexdigest()[:16]


def _facts(run: Run) -> dict[str, Any]:
    return {
        "mean": run.report.mean.to_dict(),
        "curve": run.curve.to_dict(),
        "history": None if run.history is None else run.history.to_dict("list"),
        **{name: getattr(run.report, name) for name in OF_REPORT},
        **{name: getattr(run, name) for name in OF_RUN},
    }


def _read(saved: Stored, model: Recommender) -> Run:
    facts = saved.facts
    return Run(
        model=model,
        report=Report(
            mean=pd.Series(facts["mean"]),
            per_user=read_table(saved.read("users")),
            **{name: facts[name] for name in OF_REPORT},
        ),
        curve=pd.Series(facts["curve"]),
        history=None if facts["history"] is None else pd.DataFrame(facts["history"]),
        **{name: facts[name] for name in OF_RUN},
    )
