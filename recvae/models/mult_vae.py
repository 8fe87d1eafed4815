"""Mult-VAE: the variational autoencoder with a multinomial likelihood."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import pandas as pd

from recvae.data.shards import CsrOrShards
from recvae.data.splits import Holdout
from recvae.engine.annealing import RateSchedule, Schedule, WarmUp, kl_weight, warm_up_steps
from recvae.errors import OptionError
from recvae.models.contract import Change, FitContext
from recvae.models.families.mult import MultAutoencoder
from recvae.options.ranges import NonNegativeFloat, PositiveFloat, PositiveInt
from recvae.options.spaces import Categorical, Float, Int


@dataclass(kw_only=True, eq=False)
class MultVAE(MultAutoencoder):
    """Mult-VAE (Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018).

    Items - 600 - 200 - 600 - items with tanh; the code is a Gaussian; the loss is the negative
    log-likelihood plus beta times the KL divergence of the code from N(0, I). The paper trains by
    `learning_rate=1e-3, rate_schedule="constant", batch_size=500`, for longer.

    Attributes:
        beta: the KL term's final weight; "best" selects it as the paper does: anneal to 1, note
            beta at the peak of the validation metric, train again up to that at the same slope.
        schedule: how beta rises to it (KL annealing), see `recvae.engine.annealing.kl_weight`.
        warm_up: in steps (40000), as a fraction of the run (0.5) or in epochs ("20 epochs").
        beta_: the final weight that was used (known after `fit`, not saved).
        beta_search_: history of the run that selected beta (known after `fit`, not saved); None if
            beta was given.
    """

    name = "mult-vae"
    variational = True
    space = {
        "hidden": Categorical(((), (600,))),
        "beta": Float(0.01, 1.0, log=True),
        "dropout": Float(0.2, 0.8),
        "learning_rate": Float(3e-4, 1e-2, log=True),
        "batch_size": Int(50, 500, log=True),
    }

    beta: NonNegativeFloat | Literal["best"] = 0.2
    schedule: Schedule = "linear"
    warm_up: WarmUp = 0.5
    learning_rate: PositiveFloat = 3e-3
    rate_schedule: RateSchedule = "cosine"
    batch_size: PositiveInt = 250
    epochs: PositiveInt = 60

    def learn(self, train: CsrOrShards, validation: Holdout | None, context: FitContext) -> None:
        self.beta_search_: pd.DataFrame | None = None
        if self.beta == "best":
            search = self._search_beta(train, validation, context)
            self.beta_search_ = history = search.history_
            assert history is not None
            self.beta_ = float(history["beta"].iloc[history[self.metric].argmax()])
            if search.interrupted_:
                self.net_, self.history_, self.interrupted_ = search.net_, search.history_, True
                return
        else:
            self.beta_ = self.beta
        super().learn(train, validation, context)

    def relearn(self, change: Change, context: FitContext) -> None:
        """Train on with the weight of the KL term that training ended with."""
        self.beta_ = self._found_beta()
        super().relearn(change, context)

    def as_chosen(self) -> Self:
        """See `Learner.as_chosen`: for `beta="best"` with the weight that training ended with."""
        again = super().as_chosen()
        if self.beta == "best":
            again.beta = again.warm_up = self._found_beta()
        return again

    def _found_beta(self) -> float:
        if self.beta != "best":
            return self.beta
        if self.history_ is None:
            raise OptionError("what beta='best' found is not known any more: fit anew.")
        return float(self.history_["beta"].iloc[-1])

    def _search_beta(
        self, train: CsrOrShards, validation: Holdout | None, context: FitContext
    ) -> Self:
        """Train while beta rises to 1."""
        if validation is None:
            raise OptionError("beta='best' needs validation users: fit(train, validation=...).")
        if self.schedule != "linear":
            raise OptionError("beta='best' is found on a slope: choose schedule='linear'.")
        search = replace(self, beta=1.0, schedule="linear", warm_up=1.0, patience=None)
        return search.fit(
            train, validation, checkpoints=context.part("search"), minutes=context.minutes_left
        )

    def beta_at(self, step: int, n_batches: int) -> float:
        warm_up = warm_up_steps(
            self.beta_ if self.beta == "best" else self.warm_up,
            steps_per_epoch=n_batches,
            epochs=self.epochs,
        )
        return kl_weight(
            step,
            cap=self.beta_,
            warm_up=warm_up,
            total=n_batches * self.epochs,
            schedule=self.schedule,
        )
