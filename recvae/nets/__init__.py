"""Nets: the layers of the autoencoders. They know of tensors, but not of epochs or files."""

from recvae.nets.base import Net
from recvae.nets.layers import Linear, SparseLinear, sample

__all__ = ["Linear", "Net", "SparseLinear", "sample"]
