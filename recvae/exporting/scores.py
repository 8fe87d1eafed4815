"""What each model scores, in operators that every runtime has."""

import torch

from recvae.errors import OptionError
from recvae.exporting.padded import Padded
from recvae.models import Ensemble, ImplicitALS, Recommender
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.models.families.linear import LinearAutoencoder


def require_exportable(model: Recommender) -> None:
    """Raise OptionError for a model that no graph can be made of."""
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
    """What `model.score` gives: [users, items]."""
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
    every, own = model.item_factors_, model.item_factors_[batch.columns]
    shared = every.T @ every + model.regularization * torch.eye(model.factors)
    left = shared + own.mT @ ((model.alpha - 1) * batch.values[:, :, None] * own)
    right = own.mT @ (model.alpha * batch.values[:, :, None])
    return _solve(left, right)


def _solve(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solve positive definite systems [n, f, f] and [n, f, 1] by Gauss-Jordan elimination: [n, f].

    ONNX has no operator for it.
    """
    n_factors = left.shape[1]
    system, units = torch.cat([left, right], dim=2), torch.eye(n_factors)
    for row in range(n_factors):
        pivot = system[:, row : row + 1] / system[:, row : row + 1, row : row + 1]
        factors = system[:, :, row : row + 1] - units[:, row : row + 1]
        system = system - factors * pivot
    return system[:, :, -1]
