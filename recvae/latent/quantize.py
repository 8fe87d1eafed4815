"""Quantize: codes in a byte a number."""

from dataclasses import dataclass

import numpy as np

from recvae.errors import DataError

LEVELS = 127


@dataclass(frozen=True, eq=False)
class Quantized:
    """Codes in whole numbers; for half precision, `codes.astype("float16")` is all it takes.

    Attributes:
        values: int8 [users, latent], from -127 to 127.
        scales: float32 [latent], what 1 stands for in each dimension.
    """

    values: np.ndarray
    scales: np.ndarray

    @property
    def n_bytes(self) -> int:
        """How large they are."""
        return int(self.values.nbytes + self.scales.nbytes)

    def restore(self) -> np.ndarray:
        """The codes again, each number off by half its scale at most: float32 [users, latent]."""
        return self.values * self.scales


def quantize(codes: np.ndarray) -> Quantized:
    """Round codes to 255 levels in each dimension, evenly spaced from its largest size down.

    Args:
        codes: float [users, latent], such as the means that `encode` gives.

    Raises:
        DataError: not a matrix, or with numbers that are not finite.
    """
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise DataError(f"codes are {codes.shape}: give finite numbers, [users, latent].")
    scales = np.abs(codes).max(axis=0, initial=0).astype(np.float32) / np.float32(LEVELS)
    values = np.round(codes / np.where(scales > 0, scales, 1)).astype(np.int8)
    return Quantized(values, scales)
