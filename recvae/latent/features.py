"""Features: an encoder as a transformer of scikit-learn."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from recvae.models import MultVAE
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.packages import sklearn

_base: Any = sklearn("base")


class LatentFeatures(
    _base.ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    _base.TransformerMixin,  # type: ignore[misc]
    _base.BaseEstimator,  # type: ignore[misc]
):
    """A transformer for scikit-learn: rows of users x items to the means of their codes.

    It works in pipelines and searches. The encoder's training does not see the target y.

    Attributes:
        model: an autoencoder or an ensemble whose options are used; None means MultVAE. It is not
            trained itself, so that every fold of a cross-validation trains a model of its own.
        model_: the model that was trained.
        n_features_in_: the number of items.
    """

    def __init__(self, model: Recommender | None = None) -> None:
        self.model = model

    def fit(self, X: sp.csr_matrix, y: object = None) -> Self:  # noqa: N803
        """Train a new model on CSR [users, items]; return self.

        Raises:
            DataError, OptionError: see `Recommender.fit`; also a model without a latent space.
        """
        options = MultVAE() if self.model is None else self.model
        options.require(Ability.CODES)
        self.model_: Recommender = replace(options).fit(X)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: sp.csr_matrix) -> np.ndarray:  # noqa: N803
        """The means of the codes of CSR [users, items]: float32 [users, latent].

        Raises:
            sklearn.exceptions.NotFittedError: fit first.
            DataError: the columns are not the training items.
        """
        sklearn("utils.validation").check_is_fitted(self)
        mean, _ = self.model_.encode(X)
        return mean

    @property
    def _n_features_out(self) -> int:
        """The number of features, which scikit-learn's `get_feature_names_out` asks for."""
        mean, _ = self.model_.encode(sp.csr_matrix((1, self.n_features_in_)))
        return int(mean.shape[1])
