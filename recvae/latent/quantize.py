"""Quantize: codes with one byte for each number."""

from dataclasses import dataclass

import numpy as np

from recvae.errors import DataError

LEVELS = 127


@dataclass(frozen=True, eq=False)
class Quantized:
    """Codes as whole numbers. (For half precision, `codes.astype("float16")` is enough.)

    Attributes:
        values: int8 [users, latent], from -127 to 127.
        scales: float32 [latent], a code is its value times the scale of the dimension.
    """

    values: np.ndarray
    scales: np.ndarray

    @property
    def n_bytes(self) -> int:
        """The size of values and scales, in bytes."""
        return int(self.values.nbytes + self.scales.nbytes)

    def restore(self) -> np.ndarray:
        """The codes, float32 [users, latent], with an error of at most half a scale."""
        return self.values * self.scales


def quantize(codes: np.ndarray) -> Quantized:
    """Round codes to 255 evenly spaced levels in each dimension, up to its largest absolute value.

    Args:
        codes: float [users, latent], such as the means that `encode` gives.

    Raises:
        DataError: the codes are no matrix, or have numbers that are not finite.
    """
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise DataError(f"codes are {codes.shape}: give finite numbers, [users, latent].")
    scales = np.abs(codes).max(axis=0, initial=0).astype(np.float32) / np.float32(LEVELS)
    values = np.round(codes / np.where(scales > 0, scales, 1)).astype(np.int8)
    return Quantized(values, scales)
