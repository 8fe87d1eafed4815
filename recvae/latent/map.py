"""Map: items and users as points of a plane through the latent space."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.errors import DataError, OptionError, did_you_mean
from recvae.latent.map_page import write_map
from recvae.latent.models import Coder, coder
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.packages import optional, sklearn

Method: TypeAlias = Literal["pca", "umap"]


@dataclass(frozen=True, eq=False)
class TasteMap:
    """A plane on which every taste has a place; an item's is amid the users who have it.

    Attributes:
        items: `x` and `y` of each item, and what else is known of it, indexed by raw id.
        method: how the plane was found.
    """

    items: pd.DataFrame
    method: Method
    _model: Coder
    _plane: Any

    @classmethod
    def fit(
        cls,
        model: Recommender,
        histories: sp.csr_matrix,
        method: Method = "pca",
        *,
        seed: int = 0,
    ) -> Self:
        """Find the plane by the items' codes.

        Args:
            model: a fitted autoencoder, or an Ensemble.
            histories: CSR [users, items], such as those it was trained on: see `item_codes`.
            method: "pca" keeps as much of the variance as a plane can; "umap" keeps neighbours
                together (McInnes et al., 2018), at the price of distances; it needs umap-learn.
            seed: for what is random in UMAP.

        Raises:
            DataError: the histories are empty, or do not have the training items as columns.
            MissingPackageError: scikit-learn, or umap-learn, is not installed.
            OptionError: the model has no latent space, or no such method.
        """
        source = coder(model)
        plane = _new_plane(method, seed)
        places = plane.fit_transform(item_codes(source, histories))
        points = pd.DataFrame(places, source.item_ids_, columns=["x", "y"])
        known = source.items_.drop(columns=["x", "y"], errors="ignore")
        return cls(points.join(known), method, source, plane)

    def place(self, histories: sp.csr_matrix) -> pd.DataFrame:
        """Where users are on the map.

        Args:
            histories: CSR [users, items].

        Returns:
            A line per user: `x` and `y` of the code's mean, and by PCA their standard deviations
            `x_std` and `y_std` and covariance `xy_cov`, 0 for a model without variance.

        Raises:
            DataError: the histories do not have the training items as columns.
        """
        mean, logvar = self._model.encode(histories)
        users = pd.DataFrame(self._plane.transform(mean), columns=["x", "y"])
        if self.method == "umap":
            return users
        variance, (x, y) = np.exp(logvar), self._plane.components_
        std = np.sqrt(variance @ np.square([x, y]).T)
        return users.assign(x_std=std[:, 0], y_std=std[:, 1], xy_cov=variance @ (x * y))

    def write(self, folder: str | PathLike[str], users: pd.DataFrame | None = None) -> Path:
        """Write the map as a picture, `map.png`, and as a page to explore, `map.html`.

        Items are coloured by the first of their `genres`, where these are known.

        Args:
            folder: where to; it is made if it is not there.
            users: what `place` gave, to be drawn too.

        Returns:
            The path of `map.html`, which needs nothing beside it.

        Raises:
            WriteError: the folder can't be written.
        """
        return write_map(self.items, users, Path(folder).expanduser())


def item_codes(model: Recommender, histories: sp.csr_matrix) -> np.ndarray:
    """The mean of the codes of the users who have an item; where nobody has, of all users.

    A user of n items weighs 1 / sqrt(n), since a long history says less of each of its items. The
    code of a history of one item says less still: few users have such, and nets answer them
    faintly.

    Args:
        model: a fitted autoencoder, or an Ensemble.
        histories: CSR [users, items], weights not read.

    Returns:
        float32 [items, latent].

    Raises:
        DataError: the histories are empty, or do not have the training items as columns.
        OptionError: the model has no latent space.
    """
    source = coder(model)
    histories = as_input(source.checked(histories))
    if histories.nnz == 0:
        raise DataError("no user has an item: give histories, such as the training users'.")
    codes, _ = source.encode(histories)
    weights = np.maximum(np.diff(histories.indptr), 1) ** -0.5
    members = (sp.diags(weights) @ histories).T.tocsr()
    totals = members.sum(axis=1).A1[:, None]
    means = (members @ codes) / np.maximum(totals, np.finfo(np.float32).tiny)
    return np.where(totals > 0, means, codes.mean(axis=0)).astype(np.float32)


def _new_plane(method: Method, seed: int) -> Any:
    if method not in get_args(Method):
        raise OptionError(f"there is no {method!r}: {did_you_mean(method, get_args(Method))}")
    if method == "umap":
        return optional("umap", "umap-learn").UMAP(n_components=2, random_state=seed)
    return sklearn("decomposition").PCA(n_components=2, svd_solver="covariance_eigh")
