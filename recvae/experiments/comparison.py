"""The result of comparing models, as data: tables, significance, curves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recvae import options
from recvae.evaluation.evaluate import Report, with_stderr
from recvae.evaluation.metrics import Metric
from recvae.experiments.runs import Run
from recvae.experiments.significance import LEVEL
from recvae.models.contract.recommender import Recommender


@dataclass(frozen=True, eq=False)
class Comparison:
    """The result of a comparison: several models, judged by the same users.

    Attributes:
        runs: a run for each model, best first.
        differences: every model against the best one, metric by metric: mean difference, its 95%
            bootstrap interval, corrected p-value (see `significance.differences_to_best`).
        history_lengths: int [users], how many items of each test user the models saw.
        skipped: the models that were skipped, with the reason.
        setting: the data, the split, the seeds and the machine, by name.
    """

    runs: Mapping[str, Run]
    differences: pd.DataFrame
    history_lengths: np.ndarray
    skipped: Mapping[str, str]
    setting: Mapping[str, Any]

    @property
    def models(self) -> dict[str, Recommender]:
        """The models from their last fit, best first."""
        return {name: run.model for name, run in self.runs.items()}

    @property
    def reports(self) -> dict[str, Report]:
        """The report of each model on the test users."""
        return {name: run.report for name, run in self.runs.items()}

    @property
    def chosen(self) -> dict[str, dict[str, Any]]:
        """The options that tuning chose for each model that was tuned."""
        return {name: run.tuned.chosen for name, run in self.runs.items() if run.tuned}

    @property
    def best(self) -> str:
        """The name of the best model."""
        return next(iter(self.runs))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics; models are sorted by the last."""
        return list(self.runs[self.best].report.mean.index)

    @property
    def n_users(self) -> int:
        """How many users the models were judged by."""
        return self.runs[self.best].report.n_users

    @property
    def table(self) -> pd.DataFrame:
        """A line per model, best first: means, standard errors, speed and size.

        Where models were fitted with several seeds, `_seed_std` is the standard deviation of a
        mean over the seeds; NaN for models without a seed.
        """
        lines = {name: self._line(run) for name, run in self.runs.items()}
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("model")

    @property
    def curves(self) -> pd.DataFrame:
        """NDCG and recall by length of the list (lines `ndcg@1`, ...), a column per model."""
        return pd.DataFrame({name: run.curve for name, run in self.runs.items()})

    @property
    def activity(self) -> pd.DataFrame:
        """The last metric by length of the users' histories, in quarters of the users.

        Columns `model`, `items` (the range of lengths, such as `5-18`), `users`, `mean`, `stderr`.
        """
        lengths = self.history_lengths
        quarter = np.searchsorted(np.unique(np.quantile(lengths, (0.25, 0.5, 0.75))), lengths)
        spans = pd.Series(lengths).groupby(quarter).agg(["min", "max"]).to_numpy()
        ranges = [f"{low}" if low == high else f"{low}-{high}" for low, high in spans]
        parts = {}
        for name, report in self.reports.items():
            values = report.per_user[self.metrics[-1]].to_numpy()
            part = pd.Series(values).groupby(quarter).agg(users="size", mean="mean", stderr="sem")
            part.insert(0, "items", ranges)
            parts[name] = part
        return pd.concat(parts, names=["model", None]).reset_index("model").reset_index(drop=True)

    @property
    def per_user(self) -> pd.DataFrame:
        """Columns `model`, `user` and the metrics: a line per model and user."""
        frames = {name: report.per_user for name, report in self.reports.items()}
        return pd.concat(frames, names=["model", "user"]).reset_index()

    @property
    def training(self) -> dict[str, pd.DataFrame]:
        """The training histories of the models that have one."""
        return {name: run.history for name, run in self.runs.items() if run.history is not None}

    @property
    def top(self) -> pd.DataFrame:
        """bool [models, metrics]: whether no model is significantly better; accuracy alone."""
        p = self.differences["p"].unstack("metric").reindex(list(self.runs), columns=self.metrics)
        return (p.fillna(1.0) >= LEVEL) & [Metric.parse(name).is_accuracy for name in self.metrics]

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        table, top, metric = self.table, self.top, self.metrics[-1]
        best, *others = self.runs
        score = f"{metric} {table[metric].iloc[0]:.4f}"
        equals = [name for name in others if top.loc[name, metric]]
        if not others:
            return f"{best} reaches {score}."
        if equals:
            return f"{best} leads with {score}, not significantly ahead of {_and(equals)}."
        return f"{best} is best with {score}, significantly ahead of {_and(others)}."

    @property
    def legend(self) -> str:
        """The explanation of the mark in the table."""
        return (
            "* the best, or not significantly worse than the best "
            f"(paired t-test over {self.n_users:,} users, Holm-corrected for all pairs, "
            f"p >= {LEVEL})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything except models and values per user, in types that JSON has."""
        return {
            "headline": self.headline,
            "metrics": self.metrics,
            "models": _records(self.table.reset_index()),
            "differences": _records(self.differences.reset_index()),
            "curves": json.loads(self.curves.to_json()),
            "activity": _records(self.activity),
            "options": {name: options.values(run.model) for name, run in self.runs.items()},
            "trials": {
                name: _records(run.tuned.trials) for name, run in self.runs.items() if run.tuned
            },
            "training": {name: _records(history) for name, history in self.training.items()},
            "skipped": dict(self.skipped),
            "setting": dict(self.setting),
        }

    def __str__(self) -> str:
        skipped = [f"{name} is left out: {reason}" for name, reason in self.skipped.items()]
        return "\n".join([self._readable().to_string(), self.legend, *skipped])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"{self._readable().to_html()}<p>{self.legend}</p>"

    def _readable(self) -> pd.DataFrame:
        """Mean ± standard error, with a mark for the top; training time, speed and size.

        If models were fitted with several seeds, also the standard deviation of the last metric's
        mean over the seeds.
        """
        table, top = self.table, self.top
        cells = {metric: _marked(table, metric, top[metric]) for metric in self.metrics}
        spread = table.get(f"{self.metrics[-1]}_seed_std")
        if spread is not None:
            cells["over seeds"] = ["" if np.isnan(std) else f"± {std:.4f}" for std in spread]
        cells["training"] = [f"{seconds:,.1f} s" for seconds in table["training_seconds"]]
        cells["users/s"] = [f"{speed:,.0f}" for speed in table["users_per_second"]]
        cells["parameters"] = [f"{count:,}" for count in table["parameters"]]
        cells["size"] = [f"{size:,.1f} MB" for size in table["megabytes"]]
        return pd.DataFrame(cells, index=list(table.index))

    def _line(self, run: Run) -> dict[str, Any]:
        report, line = run.report, {}
        for metric in self.metrics:
            line[metric] = report.mean[metric]
            line[f"{metric}_stderr"] = report.stderr[metric]
            if run.seed_std is not None:
                line[f"{metric}_seed_std"] = run.seed_std[metric]
        line["training_seconds"] = run.training_seconds
        line["users_per_second"] = report.users_per_second
        line["parameters"] = run.n_parameters
        line["megabytes"] = run.n_bytes / 1e6
        return line


def _marked(table: pd.DataFrame, metric: str, top: pd.Series) -> list[str]:
    lines = zip(table[metric], table[f"{metric}_stderr"], top, strict=True)
    return [f"{with_stderr(mean, stderr)} {'*' if best else ' '}" for mean, stderr, best in lines]


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dict per row, in types that JSON has: no NaN, no NumPy numbers."""
    return json.loads(frame.to_json(orient="records", double_precision=15))
