"""Scores of a model whose codes are replaced by sparse codes, with some features steered."""

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
import torch

from recvae.errors import OptionError
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.nets import TopKAutoencoder
from recvae.ranking.top_k import as_columns


def levels(net: TopKAutoencoder, steer: Mapping[int, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """The steered features, int64 [n], and the activations to set for them, [n].

    An activation of 1 in `steer` means the feature's mean activation.

    Raises:
        OptionError: a feature or its activation is out of range.
    """
    device = net.strengths.device
    features = torch.from_numpy(as_columns(list(steer), len(net.strengths), "steer")).to(device)
    factors = torch.tensor(list(steer.values()), dtype=torch.float32, device=device)
    if not ((factors >= 0) & factors.isfinite()).all():
        raise OptionError(f"steer={dict(steer)} must hold finite numbers, not negative.")
    return features, factors * net.strengths[features]


@torch.no_grad()
def score(
    model: AutoencoderRecommender,
    net: TopKAutoencoder,
    histories: sp.csr_matrix,
    steer: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """The model's scores [users, items], with sparse codes in place of its own.

    Args:
        model: a fitted model.
        net: the net of its sparse codes.
        histories: CSR [users, items].
        steer: features and activations from `levels`.
    """
    batch = model.batch(histories)
    codes, _ = model.net_.encode(batch.normalized())
    activations = net.encode(codes)
    features, active = steer
    activations[:, features] = active
    decode = model.net_.decode
    return model.forward(batch) + decode(net.decode(activations)) - decode(codes)


@torch.no_grad()
def effects(model: AutoencoderRecommender, net: TopKAutoencoder) -> np.ndarray:
    """Scores with one feature alone, minus scores without any: float32 [features, items]."""
    decode = model.net_.decode
    alone = net.decode(net.strengths.diag())
    return (decode(alone) - decode(net.center[None])).cpu().numpy()
