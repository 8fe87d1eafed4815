"""Arrays: what is learnt beside a model, as named tensors among its own, and back."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.disk.untrusted import csr_of
from recvae.engine.states import of_shape


def as_tensors(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Arrays as tensors, whose names begin with a prefix."""
    return {prefix + name: torch.from_numpy(array) for name, array in arrays.items()}


def taken(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Take the tensors with a prefix out of a state, and the prefix off."""
    names = [name for name in state if name.startswith(prefix)]
    return {name.removeprefix(prefix): state.pop(name) for name in names}


def of_csr(matrix: sp.csr_matrix) -> dict[str, np.ndarray]:
    """A CSR matrix as arrays."""
    places = {name: getattr(matrix, name).astype(np.int64) for name in ("indices", "indptr")}
    return {"data": matrix.data, **places}


def to_csr(state: dict[str, torch.Tensor], shape: tuple[int, int]) -> sp.csr_matrix:
    """A CSR float32 matrix from its arrays."""
    data = of_shape(state["data"], len(state["indices"])).numpy()
    return csr_of(data, state["indices"].numpy(), state["indptr"].numpy(), shape)
