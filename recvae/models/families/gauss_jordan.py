"""Gauss-Jordan elimination by simple operators: ONNX has no operator that solves linear systems."""

import torch


def solve(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solve positive definite systems [n, f, f] and [n, f, 1]: [n, f]."""
    # [A | b] becomes [I | A^-1 b]: each round scales one row so that its pivot is 1, and subtracts
    # multiples of it from all rows. `factors` is the pivot's column minus the unit vector, so that
    # the pivot row itself ends as the scaled row. No pivoting is needed: A is positive definite.
    n_factors = left.shape[1]
    system, units = torch.cat([left, right], dim=2), torch.eye(n_factors, dtype=left.dtype)
    for row in range(n_factors):
        pivot = system[:, row : row + 1] / system[:, row : row + 1, row : row + 1]
        factors = system[:, :, row : row + 1] - units[:, row : row + 1]
        system = system - factors * pivot
    return system[:, :, -1]
