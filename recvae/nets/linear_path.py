"""A linear autoencoder as a part of a net: solved in closed form, not trained."""

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.sparse import multiply

USER_POWER = 0.5
"""The power by which the linear path weighs users."""


def user_weights(sizes: torch.Tensor, power: float = USER_POWER) -> torch.Tensor:
    """The weight [users] of each user in a linear autoencoder: 1 / n^power for n items, 1 for none.

    Without it, users with many items would outweigh all others. It also makes one regularization
    suit data sets of any size.
    """
    return torch.where(sizes > 0, sizes, 1) ** -power


class LinearPath(nn.Module):
    """A linear autoencoder that can also score a training user as if it had not seen that user.

    The closed form fits its training users better than new ones, which a net that is trained on
    top of it must not learn to rely on. Until it is solved for, the layer takes no memory.

    Attributes:
        inverse: P = (X'WX + Lambda)^-1 of the training matrix X and the diagonal W of
            `user_weights`, [items, items]; the weights are I - P / diag(P), the diagonal 0 (see
            `recvae.models.families.linear_algebra`).
    """

    inverse: torch.Tensor

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.register_buffer("inverse", torch.empty(n_items, n_items, device="meta"))

    def forward(self, histories: Batch) -> torch.Tensor:
        """Score all items for users that are not in X: [users, items]."""
        return _scores(histories, multiply(histories, self.inverse), self.inverse.diagonal())

    def leave_one_out(self, visible: Batch, hidden: Batch) -> torch.Tensor:
        """Score all items for users of X, each as if X had been without that user's row.

        By the formula of Sherman and Morrison, for a user's row x of weight w and the same Lambda:
        (X'WX - w xx' + Lambda)^-1 = P + Px x'P / (1 / w - x'Px).

        Args:
            visible: the part of the users' rows to score by.
            hidden: the rest of their rows.

        Returns:
            [users, items].
        """
        # For x = visible + hidden: `known` is visible' P and `whole` is x'P, both [users, items].
        # In place wherever it can be: these are large, and each pass over new memory costs.
        known = multiply(visible, self.inverse)
        whole = multiply(hidden, self.inverse).add_(known)
        # `own` is visible' P x; with hidden' P x it adds up to the x'Px of the denominator.
        own = visible.inner(whole)
        weights = user_weights(visible.sum(visible.values) + hidden.sum(hidden.values))
        step = whole / (1 / weights - own - hidden.inner(whole))[:, None]
        # With P* the inverse without the user: visible' P* = known + own step, and its diagonal is
        # diag(P) + whole step. That is all that the scores need; P* itself is never made.
        product = known.add_(own[:, None] * step)
        return _scores(visible, product, step.mul_(whole).add_(self.inverse.diagonal()))


def _scores(histories: Batch, product: torch.Tensor, diagonal: torch.Tensor) -> torch.Tensor:
    """h (I - P / diag(P)) for sparse rows h, given hP (`product`, overwritten) and diag(P)."""
    scores = product.div_(diagonal).neg_()
    return scores.index_put_((histories.rows, histories.columns), histories.values, accumulate=True)
