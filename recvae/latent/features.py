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
        """Train a new model on [users, items], CSR or what scikit-learn takes for it; return self.

        Raises:
            ValueError: X is not what scikit-learn takes, or has negative weights.
            OptionError: see `Recommender.fit`; also a model without a latent space.
        """
        options = MultVAE() if self.model is None else self.model
        options.require(Ability.CODES)
        self.model_: Recommender = replace(options).fit(self._validated(X, reset=True))
        return self

    def transform(self, X: sp.csr_matrix) -> np.ndarray:  # noqa: N803
        """The means of the codes of [users, items]: float32 [users, latent].

        Raises:
            sklearn.exceptions.NotFittedError: fit first.
            ValueError: the columns are not the training items, or see `fit`.
        """
        sklearn("utils.validation").check_is_fitted(self)
        mean, _ = self.model_.encode(self._validated(X, reset=False))
        return mean

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may know: rows are sparse, and no weight is negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _validated(self, X: Any, *, reset: bool) -> sp.csr_matrix:  # noqa: N803
        validation = sklearn("utils.validation")
        dtype = np.float32
        X = validation.validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=reset)  # noqa: N806
        validation.check_non_negative(X, type(self).__name__)
        return sp.csr_matrix(X)

    @property
    def _n_features_out(self) -> int:
        """The number of features, which scikit-learn's `get_feature_names_out` asks for."""
        mean, _ = self.model_.encode(sp.csr_matrix((1, self.n_features_in_)))
        return int(mean.shape[1])
