"""Uncertainty: the variance of a code, and whether it predicts how good a list is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.splits import Holdout
from recvae.errors import DataError, OptionError
from recvae.evaluation.evaluate import evaluate
from recvae.models.contract.recommender import Recommender

METRIC = "ndcg@100"


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How the entropy of a user's code is related to the quality of the user's list.

    Attributes:
        per_user: DataFrame of the users: `entropy` (nats), `length` of the history, and the metric.
        correlation: Spearman's correlation between each two of these columns. The length is known
            without any model: only what the entropy says beyond it is new.
        curve: DataFrame indexed by coverage with the risk (see `risk_coverage`) of serving first
            the users of the least entropy (`entropy`), of the longest history (`length`), or of the
            best list, which nobody can know in advance (`best`).
    """

    per_user: pd.DataFrame
    correlation: pd.DataFrame
    curve: pd.DataFrame


def entropy(model: Recommender, histories: sp.csr_matrix) -> np.ndarray:
    """Differential entropy of each user's code in nats, float32 [users]; low is certain.

    Raises:
        OptionError: the model's codes are points.
    """
    _, logvar = model.encode(histories)
    if np.isneginf(logvar).any():
        raise OptionError(
            f"the codes of {type(model).__name__} are points: use a variational model, such as "
            "MultVAE."
        )
    return 0.5 * (logvar + np.float32(np.log(2 * np.pi * np.e))).sum(axis=1)


def risk_coverage(uncertainty: np.ndarray, quality: np.ndarray) -> pd.DataFrame:
    """The risk-coverage curve: how bad the lists are if only the most certain users are served.

    El-Yaniv & Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010.

    Args:
        uncertainty: float [users].
        quality: float [users], from 0 to 1.

    Returns:
        A line per user, the most certain first: `coverage`, the fraction of users served up to this
        one, and `risk`, 1 minus their mean quality. Users of equal uncertainty keep their order.

    Raises:
        DataError: there are no users, or not one number of each kind for each user.
    """
    if uncertainty.shape != quality.shape or uncertainty.ndim != 1 or not len(quality):
        raise DataError(
            f"uncertainty is {uncertainty.shape} and quality {quality.shape}: give both for each "
            "user."
        )
    served = np.arange(1, len(quality) + 1)
    order = np.argsort(uncertainty, kind="stable")
    return pd.DataFrame(
        {"coverage": served / len(quality), "risk": 1 - quality[order].cumsum() / served}
    )


def judge_uncertainty(model: Recommender, holdout: Holdout, metric: str = METRIC) -> Uncertainty:
    """Compare the entropy of users' codes with how well the model ranks for them.

    Args:
        model: a fitted variational autoencoder, or an ensemble.
        holdout: the users to evaluate on.
        metric: a metric that has a value for each user.

    Raises:
        DataError: nothing is held out.
        OptionError: the metric is unknown or not per user, or the model's codes are points.
    """
    report = evaluate(model, holdout, (metric,))
    if report.per_user.empty:
        raise OptionError(f"{metric} has no value for each user: take another, such as {METRIC}.")
    histories = holdout.fold_in[np.diff(holdout.held_out.indptr) > 0]
    per_user = report.per_user.assign(
        entropy=entropy(model, histories), length=np.diff(histories.indptr)
    )
    quality = report.per_user.iloc[:, 0].to_numpy()
    orders = {"entropy": per_user["entropy"], "length": -per_user["length"], "best": -quality}
    curves = {
        name: risk_coverage(np.asarray(order), quality).set_index("coverage")["risk"]
        for name, order in orders.items()
    }
    return Uncertainty(per_user, per_user.corr(method="spearman"), pd.DataFrame(curves))
