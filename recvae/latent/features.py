"""Features: an encoder as a transformer of scikit-learn."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from recvae.latent.models import Coder, coder
from recvae.models import MultVAE
from recvae.models.contract.recommender import Recommender
from recvae.packages import sklearn

_base: Any = sklearn("base")


class LatentFeatures(
    _base.ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    _base.TransformerMixin,  # type: ignore[misc]
    _base.BaseEstimator,  # type: ignore[misc]
):
    """Rows of users x items -> the means of their codes, for pipelines and searches.

    What is predicted of the users takes no part in the encoder's training.

    Attributes:
        model: the options to train with: an autoencoder or an Ensemble, which is itself left as it
            is, so that every fold of a cross-validation trains its own; None means MultVAE.
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
        self.model_: Coder = replace(coder(options)).fit(X)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: sp.csr_matrix) -> np.ndarray:  # noqa: N803
        """The means of the codes of CSR [users, items]: float32 [users, latent].

        Raises:
            sklearn.exceptions.NotFittedError: fit first.
            DataError: not the training items.
        """
        sklearn("utils.validation").check_is_fitted(self)
        mean, _ = self.model_.encode(X)
        return mean

    @property
    def _n_features_out(self) -> int:
        """What `get_feature_names_out` numbers."""
        mean, _ = self.model_.encode(sp.csr_matrix((1, self.n_features_in_)))
        return int(mean.shape[1])
