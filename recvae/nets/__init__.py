"""Nets: the layers of the autoencoders. They know of tensors, but not of epochs or files."""

from recvae.nets.autoencoder import Autoencoder
from recvae.nets.base import Net
from recvae.nets.elsa import ELSANet
from recvae.nets.growing import grow
from recvae.nets.layers import Linear, SparseLinear, sample
from recvae.nets.linear_path import USER_POWER, LinearPath, user_weights
from recvae.nets.rec_vae import RecVAENet
from recvae.nets.residual_vae import ResidualVAENet
from recvae.nets.top_k import TopKAutoencoder
from recvae.nets.vamp import VampNet

__all__ = [
    "USER_POWER",
    "Autoencoder",
    "ELSANet",
    "Linear",
    "LinearPath",
    "Net",
    "RecVAENet",
    "ResidualVAENet",
    "SparseLinear",
    "TopKAutoencoder",
    "VampNet",
    "grow",
    "sample",
    "user_weights",
]
