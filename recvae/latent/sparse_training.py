"""How sparse codes are learnt, between the encoder and the decoder of a model, which stay as are.

What training keeps is one of two:

    codes    the model's code: the squared distance of the sparse one from it
    scores   what the model makes of it: the KL divergence of the sparse code's distribution
             over the items that are not in the history from the model's (Braun et al.,
             "Identifying Functionally Important Features with End-to-End Sparse Dictionary
             Learning", NeurIPS 2024)
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn.functional import kl_div, mse_loss

from recvae.engine.batch import Batch
from recvae.engine.objectives import without
from recvae.engine.phases import LossTerms
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.nets import TopKAutoencoder

Goal: TypeAlias = Literal["codes", "scores"]

LEAST = 1e-12
"""What a code lacks at least, so that one can be drawn even if all lack nothing."""


@dataclass(eq=False)
class Imitation:
    """A way through the users, for `recvae.engine.phases.Phase`.

    Attributes:
        model: whose codes.
        net: the sparse autoencoder.
        goal: what is kept.
        noise: draws what is hidden of the histories, and whom dead features are revived for.
        alive: bool [features], which of them anyone had since the pass began.
        missed: [users, latent], what the sparse codes of the last batch lack.
    """

    model: AutoencoderRecommender
    net: TopKAutoencoder
    goal: Goal
    noise: torch.Generator
    alive: torch.Tensor = field(init=False)
    missed: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.alive = torch.ones_like(self.net.bias, dtype=torch.bool)

    def begin(self) -> None:
        """Revive the features that nobody had, for users whose codes lack most."""
        dead = ~self.alive
        if dead.any():
            chances = self.missed.square().sum(dim=1).clamp(min=LEAST)
            users = chances.multinomial(int(dead.sum()), replacement=True, generator=self.noise)
            self.net.revive(dead, self.missed[users])
        self.alive.zero_()

    def step(self, batch: Batch, number: int) -> LossTerms:
        """The loss of a batch, a random share of whose histories is hidden, from 0 to 1."""
        rate = torch.rand((), generator=self.noise, device=self.noise.device)
        visible, _ = batch.split(float(rate), self.noise)
        with torch.no_grad():
            codes = self.model.net_.encode(visible.normalized())[0]
        activations = self.net.encode(codes)
        sparse = self.net.decode(activations)
        self.alive |= (activations > 0).any(dim=0)
        self.missed = (codes - sparse).detach()
        loss = self._loss(codes, sparse, visible)
        return LossTerms(loss, -loss, torch.zeros_like(loss), 0.0)

    def _loss(self, codes: torch.Tensor, sparse: torch.Tensor, visible: Batch) -> torch.Tensor:
        if self.goal == "codes":
            return mse_loss(sparse / self.net.scale, codes / self.net.scale)
        with torch.no_grad():
            scores = self.model.forward(visible)
            rest = scores - self.model.net_.decode(codes)
        sparse_log, whole_log = (
            without(some, visible).log_softmax(dim=1)
            for some in (rest + self.model.net_.decode(sparse), scores)
        )
        return kl_div(sparse_log, whole_log, log_target=True, reduction="batchmean")


def new_net(
    model: AutoencoderRecommender, histories: sp.csr_matrix, features: int, active: int, seed: int
) -> TopKAutoencoder:
    """A net scaled to the codes of CSR [users, items], beside the model."""
    codes = torch.from_numpy(model.encode(histories)[0])
    net = TopKAutoencoder(codes.shape[1], features, active)
    net.initialize(codes, torch.Generator().manual_seed(seed))
    return net.to(model._device)


def measure(net: TopKAutoencoder, activations: sp.csr_matrix) -> None:
    """Note how active each feature is for those of some users who have it; 0 if nobody does."""
    counts = np.bincount(activations.indices, minlength=activations.shape[1])
    means = np.asarray(activations.sum(axis=0)).ravel() / np.maximum(counts, 1)
    net.strengths.copy_(torch.from_numpy(means))
