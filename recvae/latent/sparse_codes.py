"""Sparse codes: a taste as a few of many features, each of which can be named and steered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from os import PathLike
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch

from recvae import options
from recvae.data.splits import Holdout
from recvae.disk.paths import path_of
from recvae.engine import devices
from recvae.engine.batches import Batches, Resident
from recvae.engine.phases import Phase
from recvae.engine.trainer import Trainer
from recvae.errors import DataError, NotFittedError, OptionError
from recvae.evaluation.evaluate import mean_of
from recvae.latent import sparse_files
from recvae.latent.models import autoencoder
from recvae.latent.sparse_training import Goal, Imitation, measure, new_net
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.models.contract.scorer import popular_if_empty
from recvae.models.families.autoencoder import MIN_STEPS
from recvae.nets.top_k import TopKAutoencoder
from recvae.options.ranges import NonNegativeInt, PositiveFloat, PositiveInt
from recvae.ranking.blocks import block_users
from recvae.ranking.top_k import ItemSets, as_columns, top_k

METRIC = "ndcg@100"
AVERAGING = 3.0
"""See `recvae.engine.weights.Average`."""


@dataclass(kw_only=True, eq=False)
class SparseCodes:
    """A sparse autoencoder of the codes of a fitted model, between its encoder and its decoder.

    A code becomes the sum of the directions of a few features (Spišák et al., "From Knots to Knobs:
    Towards Steerable Collaborative Filtering Using Sparse Autoencoders", 2026). The model stays as
    it is. The weights are averaged over the steps of training (`recvae.engine.weights.Average`).
    What needs a fit raises NotFittedError before `fit` or `load`.

    Attributes:
        features: number of features.
        active: how many features a user has, at most.
        goal: what training reconstructs, see `recvae.latent.sparse_training`.
        learning_rate: Adam's.
        batch_size: users per training step; at most a fifth of the users.
        epochs: how many there are, at most; each goes through all users once.
        patience: epochs without a better validation value before training stops; None: no stop.
        seed: decides initial weights, order of users, and what is hidden of their histories.
        model_: the model.
        net_: the sparse autoencoder, a `recvae.nets.top_k.TopKAutoencoder`.
        history_: DataFrame, a row an epoch, with the columns of a model's `history_`.
    """

    features: PositiveInt = 256
    active: PositiveInt = 32
    goal: Goal = "codes"
    learning_rate: PositiveFloat = 1e-3
    batch_size: PositiveInt = 200
    epochs: PositiveInt = 60
    patience: PositiveInt | None = 10
    seed: NonNegativeInt = 0

    @devices.usual()
    def fit(
        self, model: Recommender, histories: sp.csr_matrix, validation: Holdout | None = None
    ) -> Self:
        """Learn features from the histories of some users; return self.

        Args:
            model: a fitted autoencoder of multinomial likelihood.
            histories: CSR [users, items], such as the training users.
            validation: users to choose the best epoch by.

        Raises:
            DataError: the histories are empty.
            OptionError: an option is out of range.
        """
        options.check(self)
        if self.active > self.features:
            raise OptionError(
                f"active={self.active} must be {self.features} at most, as features are."
            )
        model.require(Ability.LOG_PROBABILITIES)
        self.model_ = autoencoder(model)
        matrix = as_input(self.model_.checked(histories), self.model_.input)
        if matrix.nnz == 0:
            raise DataError("there is no interaction to learn from.")
        weights_seed, order_seed, noise_seed = np.random.SeedSequence(self.seed).generate_state(3)
        self.net_ = new_net(self.model_, matrix, self.features, self.active, int(weights_seed))
        noise = torch.Generator(self.model_.device_).manual_seed(int(noise_seed))
        size = min(self.batch_size, ceil(matrix.shape[0] / MIN_STEPS))
        source = Resident(matrix, self.model_.device_)
        batches = Batches(source, size, np.random.default_rng(order_seed))
        try:
            self.history_ = self._trainer(noise, validation).fit(batches)
            measure(self.net_, self.encode(matrix))
        except BaseException:
            del self.net_
            raise
        return self

    def encode(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """The activations of the active features of each user: CSR float32 [users, features]."""
        self._require_fitted()
        codes = torch.from_numpy(self.model_.encode(histories)[0]).to(self.model_.device_)
        with torch.no_grad():
            parts = torch.split(codes, block_users(self.features))
            blocks = [self.net_.encode(part).cpu() for part in parts]
        return sp.vstack([sp.csr_matrix(block.numpy()) for block in blocks], format="csr")

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        exclude_seen: bool = True,
        deny: ItemSets | None = None,
        steer: Mapping[int, float] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommend by sparse codes, with some features steered up, down or off.

        Args:
            histories: CSR [users, items]. Users with an empty history get the most popular items,
                and a warning says so; but if features are steered, they get a list by these.
            k: length of the lists.
            rows: ignored; it is here because `evaluate` passes it to every model.
            exclude_seen: do not recommend the items of the history.
            deny: as for `Recommender.recommend`.
            steer: the activation to set for some features: 0 is off, and 1 is the feature's mean
                activation among the users who have it.

        Returns:
            Columns int64 [users, k] and scores float32 [users, k], as from `Recommender.recommend`.

        Raises:
            OptionError: k, a feature or its activation is out of range.
        """
        self._require_fitted()
        features, levels = self._levels(steer or {})

        @torch.no_grad()
        def score(block: sp.csr_matrix, _: np.ndarray | None) -> torch.Tensor:
            batch, decode = self.model_.batch(block), self.model_.net_.decode
            codes = self.model_.net_.encode(batch.normalized())[0]
            activations = self.net_.encode(codes)
            activations[:, features] = levels
            scores = self.model_.forward(batch) + decode(self.net_.decode(activations))
            scores = self.model_.with_cold_(scores - decode(codes), block)
            return scores if steer else popular_if_empty(scores, block, self.model_.item_counts_)

        if steer:
            histories = self.model_.checked(histories)
        else:
            histories = self.model_.checked_users(histories, rows)[0]
        return top_k(score, histories, k, exclude_seen=exclude_seen, deny=deny)

    def effects(self) -> np.ndarray:
        """How much each feature alone changes the score of each item: float32 [features, items].

        The feature is set to its mean activation, in a code without any other feature.
        """
        self._require_fitted()
        net, decode = self.net_, self.model_.net_.decode
        with torch.no_grad():
            alone = decode(net.decode(net.strengths.diag()))
            return (alone - decode(net.center[None])).cpu().numpy()

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder; the model is saved by its own `save`, to the same folder or another.

        Raises:
            WriteError: the folder can't be written.
        """
        self._require_fitted()
        state = self.net_.state_dict()
        sparse_files.write(path_of(folder), options.values(self), self.model_, state)

    @classmethod
    @devices.usual()
    def load(cls, folder: str | PathLike[str], model: Recommender) -> Self:
        """Read sparse codes that `save` wrote; `model` is the one that they were fitted to.

        Raises:
            MissingFileError: there are none.
            ModelFileError: they are damaged, or belong to another model.
        """
        source = autoencoder(model)
        source.require_fitted()
        with sparse_files.reading(path_of(folder), source) as (chosen, state):
            codes = options.build(cls, chosen)
            if not codes.active <= codes.features == len(state["bias"]):
                raise ValueError("its options do not fit its weights")
            net = TopKAutoencoder(len(state["center"]), codes.features, codes.active)
            net.load_state_dict(state)
        codes.model_, codes.net_ = source, net.to(source.device_)
        return codes

    def _trainer(self, noise: torch.Generator, validation: Holdout | None) -> Trainer:
        imitation = Imitation(self.model_, self.net_, self.goal, noise)
        return Trainer(
            self.net_,
            [Phase(imitation.step, before=imitation.begin)],
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            validate=None if validation is None else partial(mean_of, METRIC, self, validation),
            metric=METRIC,
            patience=self.patience,
            averaging=AVERAGING,
            noise=noise,
        )

    def _levels(self, steer: Mapping[int, float]) -> tuple[torch.Tensor, torch.Tensor]:
        """The steered features, int64 [n], and the activations to set for them, [n]."""
        strengths = self.net_.strengths
        features = torch.from_numpy(as_columns(list(steer), len(strengths), "steer"))
        factors = torch.tensor(list(steer.values()), dtype=torch.float32)
        if not ((factors >= 0) & factors.isfinite()).all():
            raise OptionError(f"steer={dict(steer)} must hold finite numbers, not negative.")
        features = features.to(strengths.device)
        return features, factors.to(strengths.device) * strengths[features]

    def _require_fitted(self) -> None:
        if not hasattr(self, "net_"):
            raise NotFittedError("these SparseCodes are not fitted: call fit(...) or load(...).")
