"""Vectors of items and of users whose inner products are scores, for vector databases."""

from os import PathLike

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import scipy.sparse as sp
import torch

from recvae.disk.atomic import draft_for_user
from recvae.disk.paths import path_of
from recvae.errors import OptionError
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender


def export_vectors(model: Recommender, path: str | PathLike[str]) -> None:
    """Write the items' vectors of a fitted model as Parquet, a line for each item.

    Columns: `item`, the raw id, in the order of the model's columns; `vector`, float32 [width + 1],
    whose last number is the item's bias. Its inner product with a user's `query_vectors` is the
    model's score, where the user does not have the item.

    Args:
        model: one whose scores are inner products, see `Ability.VECTORS`.
        path: where to write it, .parquet; an old file is replaced when the new one is complete.

    Raises:
        NotFittedError: fit or load the model first.
        OptionError: the model's scores are no inner products, or the path does not end in .parquet.
        WriteError: the file can't be written.
    """
    _require_vectors(model)
    if (path := path_of(path)).suffix != ".parquet":
        raise OptionError(f"{path} must end in .parquet.")
    vectors = torch.column_stack(model.last_layer()).cpu().numpy()
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    table = pa.table({"item": pa.Array.from_pandas(model.item_ids_), "vector": lists})
    with draft_for_user(path) as draft:
        pa.parquet.write_table(table, draft)


def query_vectors(
    model: Recommender, histories: sp.csr_matrix, rows: np.ndarray | None = None
) -> np.ndarray:
    """Encode histories as what to search a vector database for.

    Args:
        model: see `export_vectors`.
        histories: CSR [users, items].
        rows: int [users], for models that know their training users only, see `recommend`.

    Returns:
        float32 [users, width + 1]; the last column is 1, which the items' biases are multiplied by.

    Raises:
        NotFittedError, OptionError: see `export_vectors`.
        DataError, FoldInError: see `recommend`.
    """
    _require_vectors(model)
    histories, _ = model.checked_users(histories, rows)
    vectors = model.user_vectors(histories, rows).cpu()
    return torch.column_stack([vectors, torch.ones(len(vectors))]).numpy()


def _require_vectors(model: Recommender) -> None:
    model.require_fitted()
    model.require(Ability.VECTORS)
    if model.cold_items_ is not None:
        raise OptionError("scores by features are no inner products: fit without item_features.")
