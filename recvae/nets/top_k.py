"""The net of sparse codes: a k-sparse autoencoder of a model's codes."""

import torch
from torch import nn
from torch.nn.functional import linear, normalize

GENTLE = 0.2
"""The norm of a revived feature's encoder weights, as a fraction of the mean of the others."""


class TopKAutoencoder(nn.Module):
    """Codes - features - codes, where only the k most active features of a user count.

    Makhzani & Frey, "k-Sparse Autoencoders", ICLR 2014. Activations are never negative: a feature
    adds its direction to a code, or does nothing.

    Attributes:
        active: k.
        encoder: [features, latent].
        bias: [features].
        directions: [features, latent], the vector that each feature adds, in units of `scale`.
        center: [latent], the code of a user without any feature.
        scale: [], the standard deviation of the codes, over all dimensions.
        strengths: [features], the mean activation of each feature among the users who have it.
    """

    scale: torch.Tensor
    strengths: torch.Tensor

    def __init__(self, latent: int, features: int, active: int) -> None:
        super().__init__()
        self.active = active
        self.encoder = nn.Parameter(torch.empty(features, latent))
        self.bias = nn.Parameter(torch.empty(features))
        self.directions = nn.Parameter(torch.empty(features, latent))
        self.center = nn.Parameter(torch.empty(latent))
        self.register_buffer("scale", torch.empty(()))
        self.register_buffer("strengths", torch.empty(features))

    @torch.no_grad()
    def initialize(self, codes: torch.Tensor, generator: torch.Generator) -> None:
        """Fit center and scale to codes [n, latent]; draw directions, which the encoder copies."""
        drawn = torch.randn(self.directions.shape, generator=generator)
        self.directions.copy_(normalize(drawn, dim=1))
        self.encoder.copy_(self.directions)
        self.bias.zero_()
        self.center.copy_(codes.mean(dim=0))
        self.scale.copy_((codes - self.center).square().mean().sqrt())

    @torch.no_grad()
    def revive(self, dead: torch.Tensor, missed: torch.Tensor) -> None:
        """Give each dead feature, bool [features], the direction of an error, [dead, latent].

        An error is a code minus its sparse code: what the living features can't express. Encoder
        weights begin small (`GENTLE`), so that living features are not disturbed.
        """
        directions, others = normalize(missed, dim=1), dead if dead.all() else ~dead
        self.directions[dead] = directions
        self.encoder[dead] = GENTLE * self.encoder[others].norm(dim=1).mean() * directions
        self.bias[dead] = 0

    def activate(self, codes: torch.Tensor) -> torch.Tensor:
        """The activation of every feature in codes [users, latent]: [users, features]."""
        return linear((codes - self.center) / self.scale, self.encoder, self.bias).relu()

    def encode(self, codes: torch.Tensor) -> torch.Tensor:
        """The activations [users, features] of each user's k most active features, the others 0."""
        return strongest(self.activate(codes), self.active)

    def decode(self, activations: torch.Tensor) -> torch.Tensor:
        """Map activations [users, features] to codes [users, latent]."""
        return activations @ self.directions * self.scale + self.center


def strongest(activations: torch.Tensor, k: int) -> torch.Tensor:
    """The k largest of each row, the others 0."""
    values, features = activations.topk(k, dim=1)
    return torch.zeros_like(activations).scatter(1, features, values)
