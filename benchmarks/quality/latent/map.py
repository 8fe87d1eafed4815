"""Map: whether neighbours share a genre, by the codes of the items and by other vectors of them."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from matplotlib.figure import Figure
from scipy.sparse.linalg import svds

import recvae as rv
from benchmarks.quality.latent.lab import fitted, mean, split
from recvae.latent.map_page import draw_map, main_genres

K, ENOUGH = 10, 20
RANKS = (50, 200)


def measure() -> dict[str, Any]:
    """Purity of all items, and of those that so many users have that something is known of them."""
    train = split().train
    known = np.diff(train.matrix.tocsc().indptr) >= ENOUGH
    genres = train.items["genres"]
    return {
        name: {
            "all items": mean(rv.latent.genre_purity(vectors, genres, K)),
            f"of {ENOUGH} users or more": mean(
                rv.latent.genre_purity(vectors[known], genres[known], K)
            ),
        }
        for name, vectors in ways(train.matrix).items()
    }


def ways(train: sp.csr_matrix) -> dict[str, np.ndarray]:
    """Vectors of the items; the last know nothing."""
    model = fitted("mult-vae")
    binary = (train > 0).astype(np.float64)
    shared = (binary.T @ binary).tocsr()
    return {
        "codes of the items": rv.latent.item_codes(model, train),
        "weights of the decoder": model.item_vectors().numpy(),
        "co-occurrence": shared.toarray(),
        **{f"co-occurrence, SVD of rank {rank}": scaled(shared, rank) for rank in RANKS},
        "noise": np.random.default_rng(0).standard_normal((train.shape[1], RANKS[0])),
    }


def scaled(shared: sp.csr_matrix, rank: int) -> np.ndarray:
    """The left singular vectors, scaled by the roots of the singular values: [items, rank]."""
    vectors, values, _ = svds(shared, rank, random_state=0)
    return vectors * np.sqrt(values)


def draw(found: dict[str, Any]) -> Figure:
    """The map itself, with a few test users on it."""
    parts, model = split(), fitted("mult-vae")
    taste_map = rv.latent.TasteMap.fit(model, parts.train.matrix)
    items = taste_map.items
    return draw_map(items, main_genres(items), taste_map.place(parts.test.fold_in[:3]))
