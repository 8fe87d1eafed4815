"""The scores of each model, computed with operators that every ONNX runtime has."""

import torch

from recvae.errors import OptionError
from recvae.exporting.padded import Padded
from recvae.models import Ensemble, ImplicitALS, Recommender
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.models.families.linear import LinearAutoencoder


def require_exportable(model: Recommender) -> None:
    """Raise OptionError for a model that can't be exported."""
    kinds = (AutoencoderRecommender, LinearAutoencoder, ImplicitALS, Ensemble)
    if not isinstance(model, kinds):
        raise OptionError(
            f"{model.name} can't be exported: choose an autoencoder (ease and edlae are too), als "
            "or ensemble."
        )
    if getattr(model, "input", "binary") == "counts":
        raise OptionError(
            f"{model.name} was trained on weights, which a graph does not read: train it with "
            "input=binary."
        )


def scores(model: Recommender, batch: Padded) -> torch.Tensor:
    """The same scores as `model.score`: [users, items]."""
    match model:
        case AutoencoderRecommender() | LinearAutoencoder():
            return model.forward(batch)
        case ImplicitALS():
            return _user_vectors(model, batch) @ model.item_factors_.T
        case Ensemble():
            return model.pool(lambda member: scores(member, batch), batch)
    raise AssertionError(model.name)


def _user_vectors(model: ImplicitALS, batch: Padded) -> torch.Tensor:
    """The vectors [users, factors] that weighted least squares give users of these histories.

    Hu, Koren & Volinsky, ICDM 2008, equation 4.
    """
    # The normal equations of each user: confidence 1 for every item, alpha for those they have. The
    # sum over all items is shared; that over the history, of alpha - 1, is added to it.
    every, own = model.item_factors_, model.item_factors_[batch.columns]
    shared = every.T @ every + model.regularization * torch.eye(model.factors)
    left = shared + own.mT @ ((model.alpha - 1) * batch.values[:, :, None] * own)
    right = own.mT @ (model.alpha * batch.values[:, :, None])
    return _solve(left, right)


def _solve(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solve positive definite systems [n, f, f] and [n, f, 1] by Gauss-Jordan elimination: [n, f].

    ONNX has no operator for it.
    """
    # [A | b] becomes [I | A^-1 b]: each round scales one row so that its pivot is 1, and subtracts
    # multiples of it from all rows. `factors` has the pivot's own column minus the unit vector, so
    # that the pivot row itself ends as the scaled row. No pivoting: A is positive definite.
    n_factors = left.shape[1]
    system, units = torch.cat([left, right], dim=2), torch.eye(n_factors)
    for row in range(n_factors):
        pivot = system[:, row : row + 1] / system[:, row : row + 1, row : row + 1]
        factors = system[:, :, row : row + 1] - units[:, row : row + 1]
        system = system - factors * pivot
    return system[:, :, -1]
