"""Training of sparse codes between the encoder and the decoder of a model, which do not change.

The goal decides what the sparse code must reconstruct:

    codes    the model's code; the loss is the squared distance between the two codes
    scores   the model's scores; the loss is the KL divergence between the two distributions over
             the items that are not in the history (Braun et al., "Identifying Functionally
             Important Features with End-to-End Sparse Dictionary Learning", NeurIPS 2024)
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
from recvae.nets.top_k import TopKAutoencoder

Goal: TypeAlias = Literal["codes", "scores"]

LEAST = 1e-12
"""The least error of a code, so that one can be drawn even if all errors are 0."""


@dataclass(eq=False)
class Imitation:
    """The training phase of sparse codes: `begin` and `step` of a `recvae.engine.phases.Phase`.

    Attributes:
        model: the model whose codes are made sparse.
        net: the sparse autoencoder.
        goal: what is reconstructed, see the module.
        noise: draws the hidden items, and the errors that dead features are pointed at.
        alive: bool [features], the features that any user had since the phase began.
        missed: [users, latent], the codes of the last batch minus their sparse codes.
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
        """Revive dead features, which nobody had, in the directions of large errors."""
        dead = ~self.alive
        if dead.any():
            # A dead feature gets the direction of an error, drawn in proportion to its square.
            chances = self.missed.square().sum(dim=1).clamp(min=LEAST)
            users = chances.multinomial(int(dead.sum()), replacement=True, generator=self.noise)
            self.net.revive(dead, self.missed[users])
        self.alive.zero_()

    def step(self, batch: Batch, number: int) -> LossTerms:
        """The loss of a batch; of its histories a random fraction, from 0 to 1, is hidden."""
        rate = torch.rand((), generator=self.noise, device=self.noise.device)
        visible, _ = batch.split(float(rate), self.noise)
        with torch.no_grad():
            codes = self.model.net_.encode(visible.normalized())[0]
        activations = self.net.encode(codes)
        sparse = self.net.decode(activations)
        self.alive |= (activations > 0).any(dim=0)
        self.missed = (codes - sparse).detach()
        loss = self._loss(codes, sparse, visible)
        return LossTerms.without_kl(-loss)

    def _loss(self, codes: torch.Tensor, sparse: torch.Tensor, visible: Batch) -> torch.Tensor:
        if self.goal == "codes":
            return mse_loss(sparse / self.net.scale, codes / self.net.scale)
        # What the scores have beside the decoder (a linear path) stays as it is; the target is the
        # model's own distribution over the items that are not visible.
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
    """A new net, scaled to the codes of some users, CSR [users, items], on the model's device."""
    codes = torch.from_numpy(model.encode(histories)[0])
    net = TopKAutoencoder(codes.shape[1], features, active)
    net.initialize(codes, torch.Generator().manual_seed(seed))
    return net.to(model.device_)


def measure(net: TopKAutoencoder, activations: sp.csr_matrix) -> None:
    """Set the net's `strengths`: each feature's mean activation among users who have it, or 0."""
    counts = np.bincount(activations.indices, minlength=activations.shape[1])
    means = np.asarray(activations.sum(axis=0)).ravel() / np.maximum(counts, 1)
    net.strengths.copy_(torch.from_numpy(means))
