"""The base of all autoencoders: options, fitting, scoring of new users, encoding."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Annotated, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from annotated_types import MinLen
from torch import nn

from recvae.data.shards import CsrOrShards, Shards
from recvae.data.splits import Holdout
from recvae.engine import devices, processes
from recvae.engine.annealing import RateSchedule
from recvae.engine.batch import Batch
from recvae.engine.batches import Batches, batch_source
from recvae.engine.phases import Phase
from recvae.engine.trainer import Trainer
from recvae.evaluation.evaluate import mean_of
from recvae.evaluation.metrics import require_higher
from recvae.models.contract import Ability, Change, FitContext, Input, Recommender, as_input
from recvae.nets import Net
from recvae.nets.growing import grow
from recvae.options.ranges import (
    DropRate,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from recvae.ranking.blocks import in_blocks, padded

MIN_STEPS = 5
"""The least number of training steps in an epoch."""
SHORTER = 10
"""How many times fewer epochs an update has than a fit."""
REMEMBERED = 9
"""How many users whose rows are as before an update trains on, at most, for each changed one."""


@dataclass(kw_only=True, eq=False)
class AutoencoderRecommender(Recommender):
    """An autoencoder of the users' histories.

    Attributes:
        latent: width of the code.
        dropout: the rate at which training removes entries of the input.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
        half_life: see `Model`.
        learning_rate: Adam's.
        rate_schedule: "constant", or "cosine": down to 0 over the epochs, after a short rise.
        l2: weight decay: the coefficient of the sum of squared weights, whose gradient Adam adds
            to the loss's. With more than 50,000 items, a step decays only the item weights that it
            uses.
        batch_size: users per training step; at most a fifth of the training users, so that small
            sets get enough steps.
        epochs: how many there are, at most; each goes through all training users.
        patience: epochs without a better validation value before training stops; None: no stop.
        metric: the validation metric by which the best epoch is chosen.
        seed: decides initial weights, order of users, dropout and noise.
        device: "auto", "cpu", "cuda", "mps", ...
        precision: the type in which matrices are multiplied; sums are always float32. "auto" trains
            in bfloat16 where the device supports it, and scores in float32.
        net_: the net.
        history_: DataFrame, a row an epoch: loss, log_likelihood, kl (nats, mean over users),
            beta (the weight of the KL term), seconds, users_per_second, and the validation metric.
    """

    latent: PositiveInt = 200
    dropout: DropRate = 0.5
    input: Input = "binary"
    half_life: PositiveFloat | None = None
    learning_rate: PositiveFloat = 1e-3
    rate_schedule: RateSchedule = "constant"
    l2: NonNegativeFloat = 0.0
    batch_size: PositiveInt = 500
    epochs: PositiveInt = 100
    patience: PositiveInt | None = 20
    metric: str = "ndcg@100"
    seed: NonNegativeInt = 0
    device: Annotated[str, MinLen(1)] = "auto"
    precision: devices.Precision = "auto"

    supports_shards = True
    parallel_over = frozenset({"users"})
    abilities = frozenset({Ability.CODES, Ability.EXPORT})
    averaging: ClassVar[float | None] = None
    """See `Trainer`."""
    kept: ClassVar[float] = 0.8
    """How much of the weights is kept where an update trains on all users, see `grow`."""

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        histories = self.checked(histories)
        codes = [self._encode(block) for block in in_blocks(histories)] or [self._encode(histories)]
        mean, logvar = (torch.cat(parts).cpu().numpy() for parts in zip(*codes, strict=True))
        return mean, logvar

    def decode(self, codes: np.ndarray) -> torch.Tensor:
        self.require_fitted()
        with torch.no_grad():
            return self.net_.decode(torch.from_numpy(codes).to(self.device_))

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Logits of all items, decoded from the mean of the code, without dropout."""
        with torch.no_grad(), self._multiplying():
            return self.forward(self.batch(padded(histories)))[: histories.shape[0]]

    def user_vectors(
        self, histories: sp.csr_matrix, rows: np.ndarray | None = None
    ) -> torch.Tensor:
        """The inputs of the last layer; with a temperature, their directions divided by it."""
        self.require(Ability.VECTORS)
        weight, _ = self.net_.last_layer()
        with torch.no_grad(), self._multiplying():
            code, _ = self.net_.encode(self.batch(padded(histories)).normalized())
            vectors, _ = self.net_.factors(self.net_.hidden(code), weight[:0])
        return vectors[: histories.shape[0]]

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The net's; with a temperature, its weights' directions."""
        self.require(Ability.VECTORS)
        weight, bias = self.net_.last_layer()
        return self.net_.factors(weight[:0], weight)[1].detach(), bias.detach()

    def _multiplying(self) -> AbstractContextManager[None]:
        precision = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        return devices.multiplying(precision)

    def batch(self, histories: sp.csr_matrix) -> Batch:
        """Histories as the net reads them, on its device."""
        return Batch.of(self.as_read(histories), self.device_)

    def forward(self, batch: Batch) -> torch.Tensor:
        """See `Model.forward`; it is differentiable in the batch's values."""
        mean, _ = self.net_.encode(batch.normalized())
        return self.net_.decode(mean)

    def learn(self, train: CsrOrShards, validation: Holdout | None, context: FitContext) -> None:
        """Train a new net from the seed."""
        require_higher(self.metric)
        weights_seed, *seeds = self._seeds()
        self.net_ = self._drawn_net(train.shape[1], weights_seed)
        self._train(train, validation, context, seeds)

    def relearn(self, change: Change, context: FitContext) -> None:
        """Train on from the weights that there are, by the changed users and some others.

        The learning rate goes down to 0: what an average over many steps evens out in a fit would
        else be noise after so few. See docs/updates.md.
        """
        known, rows = self.net_, as_input(change.train)
        n_users, n_items = rows.shape
        weights_seed, *seeds = self._seeds(int(self.fingerprint_, 16))
        self.net_ = self._drawn_net(n_items, weights_seed)
        among = _with_others(change.rows, n_users, self._batch_size(n_users), seeds[0])
        grow(known, self.net_, rows, self.kept ** (len(among) / n_users))
        self._train(change.train, None, context, seeds, among=among)

    def _batch_size(self, n_users: int) -> int:
        return min(self.batch_size, ceil(n_users / MIN_STEPS))

    def _seeds(self, *more: int) -> list[int]:
        """The seeds of the weights, of the users' order and of the noise."""
        return np.random.SeedSequence([self.seed, *more]).generate_state(3).tolist()

    def _drawn_net(self, n_items: int, seed: int) -> Net:
        net = self.new_net(n_items)
        net.initialize(torch.Generator().manual_seed(seed))
        return net

    def _train(
        self,
        train: CsrOrShards,
        validation: Holdout | None,
        context: FitContext,
        seeds: list[int],
        *,
        among: np.ndarray | None = None,
    ) -> None:
        """Train the net on all training users or, to update it, on the rows `among` them."""
        device, together = devices.resolve(self.device), processes.current()
        order_seed, noise_seed = seeds
        rows: CsrOrShards
        if isinstance(train, Shards):
            rows = train.weighed(lambda matrix: as_input(matrix, self.input))
        else:
            rows = as_input(train, self.input)
        self.prepare(self.net_, rows, context)
        self.net_.split_items(together.items)
        self.net_.to(device)
        noise = torch.Generator(device).manual_seed(noise_seed)
        batch_size = self._batch_size(train.shape[0])
        n_batches = ceil(train.shape[0] / batch_size)
        trainer = self._trainer(n_batches, noise, validation, context)
        if among is not None:
            assert isinstance(rows, sp.csr_matrix)  # as the data that are kept are
            rows = rows[among]
            trainer.phases = [phase.after(self.epochs * n_batches) for phase in trainer.phases]
            trainer.epochs, trainer.rate_schedule = ceil(self.epochs / SHORTER), "cosine"
        order = np.random.default_rng(order_seed)
        batches = Batches(batch_source(rows, device), batch_size, order, together.users)
        self.history_ = trainer.fit(batches)
        self.net_.join_items()
        self.interrupted_ = trainer.interrupted

    def _trainer(
        self,
        n_batches: int,
        noise: torch.Generator,
        validation: Holdout | None,
        context: FitContext,
    ) -> Trainer:
        """What trains the net; `n_batches` batches go through all users once."""
        judge = None if validation is None else partial(mean_of, self.metric, self, validation)
        return Trainer(
            self.net_,
            self.phases(self.net_, n_batches, noise),
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            rate_schedule=self.rate_schedule,
            l2=self.l2,
            validate=judge,
            metric=self.metric,
            on_epoch=context.on_epoch,
            patience=self.patience,
            averaging=self.averaging,
            precision=devices.products(self.precision, noise.device),
            noise=noise,
            checkpoints=context.checkpoints,
            deadline=context.deadline,
            processes=processes.current(),
        )

    @abstractmethod
    def new_net(self, n_items: int) -> Net:
        """A net for `n_items` items, with uninitialized parameters."""

    def prepare(self, net: Net, train: CsrOrShards, context: FitContext) -> None:
        """Set what a net takes from the training matrix without learning, before training."""

    @abstractmethod
    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        """The phases of a training epoch; `n_batches` batches go through all users once."""

    def _encode(self, histories: sp.csr_matrix) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            return self.net_.encode(self.batch(histories).normalized())

    @property
    def device_(self) -> torch.device:
        """The device of the net."""
        return next(self.net_.parameters()).device

    def item_vectors(self) -> torch.Tensor:
        """The last layer's weights of each item: [items, width]."""
        return self.net_.last_layer()[0].detach()

    @property
    def nets_(self) -> list[nn.Module]:
        return [self.net_]

    def state(self) -> dict[str, torch.Tensor]:
        return dict(self.net_.state_dict())

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        with torch.device("meta"):  # no memory is taken for what the options only claim
            self.net_ = self.new_net(len(self.items_))
        self.net_.load_state_dict(state, assign=True)
        self.net_.to(devices.resolve(self.device), torch.float32).eval()


def _with_others(rows: np.ndarray, n_users: int, least: int, seed: int) -> np.ndarray:
    """Rows, and REMEMBERED times as many others of `n_users`, or so many that they are `least`."""
    others = np.setdiff1d(np.arange(n_users), rows)
    drawn = np.random.default_rng(seed).permutation(others)
    n_others = max(REMEMBERED * len(rows), least - len(rows))
    return np.sort(np.concatenate([rows, drawn[:n_others]]))
