"""Scores by sparse codes: what a model's decoder makes of them, with some units turned."""

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
import torch

from recvae.errors import OptionError
from recvae.models.autoencoder import AutoencoderRecommender
from recvae.nets import TopKAutoencoder
from recvae.ranking import as_columns


def levels(net: TopKAutoencoder, turned: Mapping[int, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Units int64 [n], and how active they shall be [n]; 1 in `turned` is as active as usual.

    Raises:
        OptionError: a unit or how far it is turned is out of range.
    """
    device = net.strengths.device
    units = torch.from_numpy(as_columns(list(turned), len(net.strengths), "turned")).to(device)
    shares = torch.tensor(list(turned.values()), dtype=torch.float32, device=device)
    if not ((shares >= 0) & shares.isfinite()).all():
        raise OptionError(f"turned={dict(turned)} must hold finite numbers, not negative.")
    return units, shares * net.strengths[units]


@torch.no_grad()
def score(
    model: AutoencoderRecommender,
    net: TopKAutoencoder,
    histories: sp.csr_matrix,
    turned: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """The model's scores [users, items], with sparse codes in place of its own.

    Args:
        model: fitted.
        net: that of its sparse codes.
        histories: CSR [users, items].
        turned: see `levels`.
    """
    batch = model.batch(histories)
    codes, _ = model.net_.encode(batch.normalized())
    activations = net.encode(codes)
    units, active = turned
    activations[:, units] = active
    decode = model.net_.decode
    return model.forward(batch) + decode(net.decode(activations)) - decode(codes)


@torch.no_grad()
def effects(model: AutoencoderRecommender, net: TopKAutoencoder) -> np.ndarray:
    """What each unit, as active as usual, adds to the scores of no unit: float32 [units, items]."""
    decode = model.net_.decode
    alone = net.decode(net.strengths.diag())
    return (decode(alone) - decode(net.center[None])).cpu().numpy()
