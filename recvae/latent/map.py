"""Map: items and users as points on a plane through the latent space."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.disk.paths import path_of
from recvae.errors import require_known
from recvae.latent.items import item_codes
from recvae.latent.map_page import write_map
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.packages import optional, sklearn

Method: TypeAlias = Literal["pca", "umap"]


@dataclass(frozen=True, eq=False)
class TasteMap:
    """A plane on which every item and every user has a place; items are near users who have them.

    Attributes:
        items: DataFrame indexed by raw id: `x` and `y` of each item, and its other columns.
        method: how the plane was found.
    """

    items: pd.DataFrame
    method: Method
    _model: Recommender
    _plane: Any

    @classmethod
    def fit(
        cls, model: Recommender, histories: sp.csr_matrix, method: Method = "pca", *, seed: int = 0
    ) -> Self:
        """Fit the plane to the items' codes.

        Args:
            model: a fitted autoencoder, or an ensemble.
            histories: CSR [users, items], such as the training users: see `item_codes`.
            method: "pca" keeps as much of the variance as a plane can; "umap" keeps neighbours
                together (McInnes et al., 2018) but not distances; it needs umap-learn.
            seed: decides what is random in UMAP.

        Raises:
            DataError: the histories are empty.
            MissingPackageError: scikit-learn, or umap-learn, is not installed.
            OptionError: there is no such method.
        """
        model.require(Ability.CODES)
        plane = _new_plane(method, seed)
        places = plane.fit_transform(item_codes(model, histories))
        points = pd.DataFrame(places, model.item_ids_, columns=["x", "y"])
        known = model.items_.drop(columns=["x", "y"], errors="ignore")
        return cls(points.join(known), method, model, plane)

    def place(self, histories: sp.csr_matrix) -> pd.DataFrame:
        """Place users on the map.

        Args:
            histories: CSR [users, items].

        Returns:
            A line per user: `x` and `y` of the code's mean, and by PCA their standard deviations
            `x_std` and `y_std` and covariance `xy_cov`, 0 for a model without variance.
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
            folder: where to write; it is made if it does not exist.
            users: places of users from `place`, to be drawn too.

        Returns:
            The path of `map.html`, a page that needs no other file.

        Raises:
            WriteError: the folder can't be written.
        """
        return write_map(self.items, users, path_of(folder))


def _new_plane(method: Method, seed: int) -> Any:
    require_known(method, get_args(Method), "there is no")
    if method == "umap":
        return optional("umap", "umap-learn").UMAP(n_components=2, random_state=seed)
    return sklearn("decomposition").PCA(n_components=2, svd_solver="covariance_eigh")
