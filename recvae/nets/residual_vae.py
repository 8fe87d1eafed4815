"""The net of ResidualVAE."""

import torch
from torch import nn

from recvae.batches import Batch
from recvae.nets.layers import multiply
from recvae.nets.rec_vae import RecVAENet

SMALL = 0.01


class ResidualVAENet(RecVAENet):
    """RecVAE's net beside a linear autoencoder.

    Attributes:
        linear: the linear path, which is solved for and not trained.
    """

    def __init__(self, n_items: int, width: int, latent: int) -> None:
        super().__init__(n_items, width, latent)
        self.linear = LinearPath(n_items)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw as RecVAE does, but let the decoder begin near 0."""
        super().initialize(generator)
        nn.init.normal_(self.decoder.weight, std=SMALL, generator=generator)
        nn.init.zeros_(self.decoder.bias)


class LinearPath(nn.Module):
    """What a linear autoencoder scores, also as if a user had not been in its training data.

    It has seen the targets of its training users, and fits them better than those of others. What
    is trained on top of it must not take that for granted.

    Attributes:
        inverse: P = (X'X + Lambda)^-1 of the training matrix X, [items, items]; the weights are
            I - P / diag(P), the diagonal 0 (see `recvae.linear`).
    """

    inverse: torch.Tensor

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.register_buffer("inverse", torch.empty(n_items, n_items))

    def forward(self, histories: Batch) -> torch.Tensor:
        """Score all items for users that are not in X: [users, items]."""
        return _scores(histories, multiply(histories, self.inverse), self.inverse.diagonal())

    def leave_one_out(self, kept: Batch, left: Batch) -> torch.Tensor:
        """Score all items for users of X, each as if X had been without that user.

        By the formula of Sherman and Morrison, for a user's row x and the same Lambda:
        (X'X - xx' + Lambda)^-1 = P + Px x'P / (1 - x'Px).

        Args:
            kept: the part of the users' rows to score by.
            left: the rest of their rows.

        Returns:
            [users, items].
        """
        known = multiply(kept, self.inverse)
        whole = known + multiply(left, self.inverse)
        own = kept.inner(whole)
        sizes = kept.sum(kept.values) + left.sum(left.values)
        step = whole / (sizes.sqrt() - own - left.inner(whole))[:, None]
        return _scores(kept, known + own[:, None] * step, self.inverse.diagonal() + whole * step)


def _scores(histories: Batch, product: torch.Tensor, diagonal: torch.Tensor) -> torch.Tensor:
    """h - hP / diag(P)."""
    scores = -product / diagonal
    return scores.index_put_((histories.rows, histories.columns), histories.values, accumulate=True)
