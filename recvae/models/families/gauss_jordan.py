"""Gauss-Jordan elimination, in operators that an ONNX graph has; it has none for linear systems."""

import torch


def solve(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solve positive definite systems [n, f, f] and [n, f, 1]: [n, f]."""
    n_factors = left.shape[1]
    system, units = torch.cat([left, right], dim=2), torch.eye(n_factors)
    for row in range(n_factors):
        pivot = system[:, row : row + 1] / system[:, row : row + 1, row : row + 1]
        factors = system[:, :, row : row + 1] - units[:, row : row + 1]
        system = system - factors * pivot
    return system[:, :, -1]
