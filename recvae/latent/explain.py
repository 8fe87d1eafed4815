"""Explain: how much each item of a history contributes to a recommendation.

A constant added to all scores of a user changes no list. So a score is taken here minus the mean of
the user's scores over all items.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.errors import DataError, OptionError
from recvae.latent.models import autoencoder
from recvae.models.contract.recommender import Recommender
from recvae.ranking.blocks import user_blocks
from recvae.ranking.top_k import as_columns


def leave_one_out(model: Recommender, history: sp.csr_matrix, columns: np.ndarray) -> np.ndarray:
    """How much each item of a history adds to the scores of some items, by leaving it out: exact.

    Contribution = score with the whole history minus score with the history without that item. All
    shortened histories are scored together, in blocks if they are many.

    Args:
        model: any fitted model that serves new users.
        history: CSR [1, items], of one item or more.
        columns: int [k], the items to explain.

    Returns:
        float32 [history, k]: a row for each item of the history, by ascending column, in units of
        the model's scores.

    Raises:
        DataError: not one user's history, or an empty one.
        FoldInError: the model knows only the users that it was trained on.
        OptionError: a column is out of range.
    """
    history = _of_one_user(model, history)
    columns = as_columns(np.atleast_1d(columns), history.shape[1], "columns")
    whole = _leads(model, history, columns)
    rest = torch.cat([_leads(model, block, columns) for block in _without_each(history)])
    return (whole - rest).cpu().numpy()


def gradient(model: Recommender, history: sp.csr_matrix, columns: np.ndarray) -> np.ndarray:
    """A first-order estimate of `leave_one_out`: each weight times the score's gradient in it.

    It takes and gives the same, by one forward and one backward pass of k rows, instead of a row
    for each item of the history. Nets read histories scaled to length 1, so that the contributions
    to an item sum to 0 (except for the linear path of ResidualVAE): they say which items matter
    more than the others.

    Raises:
        DataError, OptionError: see `leave_one_out`; an OptionError too if the model is no
            autoencoder.
    """
    net = autoencoder(model)
    history = _of_one_user(model, history)
    columns = as_columns(np.atleast_1d(columns), history.shape[1], "columns")
    batch = net.batch(history[np.zeros(len(columns), dtype=np.int64)])
    entries = torch.clone(batch.values).requires_grad_()
    leads = _lead(net.forward(replace(batch, values=entries)), columns)
    # Row i is there for the score of column i alone.
    (slopes,) = torch.autograd.grad(leads.diagonal().sum(), entries)
    return (slopes * entries).detach().reshape(len(columns), -1).T.cpu().numpy()


def explain(
    model: Recommender, history: sp.csr_matrix, k: int = 10, reasons: int = 3
) -> pd.DataFrame:
    """Recommend to one user, and name the items of the history that contribute most to each item.

    Args:
        model: any fitted model that serves new users.
        history: CSR [1, items], of one item or more.
        k: length of the list.
        reasons: how many items of the history to name for each recommendation, at most.

    Returns:
        A table of raw ids with the columns `item`, `rank` (from 1), `because` (an item of the
        history) and `contribution` (by `leave_one_out`); for each item the greatest first.

    Raises:
        DataError, FoldInError, OptionError: see `leave_one_out` and `Recommender.recommend`; an
            OptionError too for fewer than one reason.
    """
    if reasons < 1:
        raise OptionError(f"reasons={reasons} must be 1 or more.")
    history = _of_one_user(model, history)
    ids = model.recommend(history, k)[0][0]
    ids = ids[ids >= 0]
    contributions = leave_one_out(model, history, ids)
    best = np.argsort(-contributions, axis=0, kind="stable")[:reasons]
    return pd.DataFrame(
        {
            "item": model.item_ids_[ids].repeat(len(best)),
            "rank": np.arange(1, len(ids) + 1).repeat(len(best)),
            "because": model.item_ids_[history.indices[best].T.ravel()],
            "contribution": np.take_along_axis(contributions, best, axis=0).T.ravel(),
        }
    )


def agreement(model: Recommender, histories: sp.csr_matrix, k: int = 10) -> pd.DataFrame:
    """How well `gradient` agrees with `leave_one_out` on the k items recommended to each user.

    Args:
        model: a fitted autoencoder.
        histories: CSR [users, items] of some users, of two items or more each.
        k: length of the lists.

    Returns:
        A line per user, of means over the list: `correlation`, Spearman's rank correlation between
        the contributions to an item, and `same_reason`, how often both name the same item as the
        greatest contribution. The correlation is NaN where all contributions are equal.

    Raises:
        DataError, OptionError: see `gradient`.
    """
    histories, lines = model.checked(histories), []
    for user, ids in enumerate(model.recommend(histories, k)[0]):
        ways = (leave_one_out, gradient)
        exact, cheap = (way(model, histories[user], ids[ids >= 0]) for way in ways)
        same = exact.argmax(axis=0) == cheap.argmax(axis=0)
        # Spearman's correlation is Pearson's of the ranks; it is undefined where all are equal.
        ranks, others = (pd.DataFrame(part).rank() for part in (exact, cheap))
        lines.append((ranks.corrwith(others).mean(), same.mean()))
    return pd.DataFrame(lines, columns=["correlation", "same_reason"])


def _of_one_user(model: Recommender, history: sp.csr_matrix) -> sp.csr_matrix:
    """A history in the form that models score; DataError unless one user has an item or more."""
    history = model.checked(history)
    if history.shape[0] != 1 or history.nnz == 0:
        raise DataError(
            f"expected the history of one user, with an item or more, and got {history.shape[0]} "
            f"rows with {history.nnz} items: explain one user at a time."
        )
    return history


def _leads(model: Recommender, histories: sp.csr_matrix, columns: np.ndarray) -> torch.Tensor:
    """By how much some columns lead in a model's scores of histories: [users, k]."""
    return _lead(model.with_cold_(model.score(histories), histories), columns)


def _lead(scores: torch.Tensor, columns: np.ndarray) -> torch.Tensor:
    """The scores of some columns minus each row's mean score: [users, k]."""
    return scores[:, torch.from_numpy(columns).to(scores.device)] - scores.mean(1, keepdim=True)


def _without_each(history: sp.csr_matrix) -> Iterator[sp.csr_matrix]:
    """The history without each of its items in turn, a row each: blocks of CSR [n, items]."""
    every = np.arange(history.nnz)
    for block in user_blocks(history.nnz, history.shape[1]):
        removed = every[block]
        shorter = history[np.zeros_like(removed)]
        shorter.data.reshape(len(removed), -1)[np.arange(len(removed)), removed] = 0
        shorter.eliminate_zeros()
        yield shorter
