"""ResidualEnsemble: an ensemble whose members are chosen by the size of the data."""

import logging
from copy import copy
from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated

import numpy as np
import scipy.sparse as sp
from annotated_types import Ge, Le, MinLen

from recvae.data.splits import Holdout
from recvae.data.splits.validation import with_validation
from recvae.engine import machine
from recvae.engine.sparse import LARGE
from recvae.errors import TrainingError
from recvae.evaluation.evaluate import evaluate
from recvae.models.contract import FitContext, Recommender
from recvae.models.edlae import EDLAE
from recvae.models.elsa import ELSA
from recvae.models.families import costs
from recvae.models.families.pooled import PooledRecommender, with_options
from recvae.models.implicit_als import ImplicitALS
from recvae.models.mult_dae import MultDAE
from recvae.models.mult_vae import MultVAE
from recvae.models.residual_vae import ResidualVAE
from recvae.models.sparse_edlae import SparseEDLAE
from recvae.models.transitions import Transitions
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int

HOUR = 60.0
"""The minutes that the members may take on two cores if no other time is given."""
DAE = (128, 15)
"""Width and epochs of the MultDAE."""
FEW = 0.05
"""The part of the interactions that training can do without."""
METRIC, CHANCE = "ndcg@100", 2
"""How members are judged, and how many standard errors are more than chance."""

logger = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class ResidualEnsemble(PooledRecommender):
    """The most accurate model of the package, for data of any size: models that are pooled.

    Each member is fitted by itself. An item's score is the sum of its log-probabilities by all
    members. A neural, a linear and a factor model make different errors, which the sum evens out.
    Which members there are depends on the size of the data, and on the time that `fit` is given:

    - ELSA, ImplicitALS and ResidualVAEs, which share their linear path;
    - if those would take too long: EDLAE, ELSA, ImplicitALS and a MultVAE;
    - if those would too: EDLAE, ELSA and ImplicitALS;
    - on a long tail: SparseEDLAE and as many MultDAEs with cosine logits;
    - if those would take too long: SparseEDLAE and one MultDAE.

    A long tail has so many items for its interactions that an items x items matrix would take more
    time than the items' neighbors do, or more memory than `max_gigabytes`. Too long is more than
    `fit` is given or, so that the choice does not depend on the machine, an hour of two cores. The
    choice, its memory and its time on this machine are logged before it begins. With `half_life`,
    Transitions joins them, and counts as much as all others together. Validation users choose the
    epochs, and a member that makes their lists worse is left out, even if it is the only one with
    codes. If `fit` is given none, one in 10 of the users with several items validates, at most
    1,000, at least 20 or none. Then what they chose is fitted anew, to all users, unless `fit` is
    given a time, or they have less than 5% of the interactions. Options that are not named here
    have the members' defaults.

    Attributes:
        n_vaes: number of ResidualVAEs, or of MultDAEs, which differ in their seeds alone.
        latent: width of the ResidualVAEs' codes.
        width: width of the layers of the ResidualVAEs' encoders.
        gamma: the weight of the ResidualVAEs' KL terms for each item of a user.
        epochs: epochs of the VAEs' training, at most; MultDAE has no more than 15, ELSA 20.
        rank: width of ELSA's vectors.
        factors: width of ImplicitALS's vectors.
        max_gigabytes: the memory that an items x items matrix may take, if the machine has it.
        half_life: of the histories that the members read, see `Model`; Transitions has its own.
        seed: decides everything random in all members.
        device: the device of all members that have one: "auto", "cpu", "cuda", "mps", ...
        members_: the fitted models: `elsa`, `als`, `vae0`, `vae1`, ...; `edlae`, `mult-vae`;
            `sparse-edlae`, `dae0`, ...; `transitions`; without those that are left out, and without
            the last ones if Ctrl-C or the time ended the training.
        history_: DataFrame, a row an epoch of the leader, in the fit that validation users judged;
            None if no member has codes.
        interrupted_: whether Ctrl-C or the time ended the training early.
    """

    name = "ensemble"
    needs_all = False
    space = {
        "latent": Int(100, 400, log=True),
        "gamma": Float(5e-4, 1e-2, log=True),
        "rank": Int(64, 1024, log=True),
        "factors": Int(32, 256, log=True),
    }

    n_vaes: Annotated[int, Ge(1), Le(100)] = 2
    latent: PositiveInt = 200
    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.002
    epochs: PositiveInt = 60
    rank: PositiveInt = 256
    factors: PositiveInt = 64
    max_gigabytes: PositiveFloat = 16.0
    half_life: PositiveFloat | None = None
    seed: NonNegativeInt = 0
    device: Annotated[str, MinLen(1)] = "auto"

    def new_members(self) -> dict[str, Recommender]:
        seeds = np.random.SeedSequence(self.seed).generate_state(self.n_vaes)
        members: dict[str, Recommender] = {
            "edlae": EDLAE(max_gigabytes=self.max_gigabytes),
            "elsa": ELSA(latent=self.rank, seed=self.seed),
            "als": ImplicitALS(factors=self.factors, seed=self.seed),
            "sparse-edlae": SparseEDLAE(),
            "mult-vae": MultVAE(epochs=min(MultVAE.epochs, self.epochs), seed=self.seed),
        }
        for number, seed in enumerate(seeds.tolist()):
            members[f"dae{number}"] = MultDAE(
                latent=DAE[0],
                epochs=min(DAE[1], self.epochs),
                temperature=0.1,
                learning_rate=0.01,
                seed=seed,
            )
            members[f"vae{number}"] = ResidualVAE(
                latent=self.latent,
                width=self.width,
                gamma=self.gamma,
                epochs=self.epochs,
                max_gigabytes=self.max_gigabytes,
                seed=seed,
            )
        members = with_options(members, device=self.device, half_life=self.half_life)
        return {"transitions": Transitions(), **members}

    def members_for(self, train: sp.csr_matrix, minutes: float | None) -> dict[str, Recommender]:
        """The first of the plans that fits into the memory and the time there is, or the last."""
        members, plans, speed = self.new_members(), self._plans(train), costs.speed()
        gigaflop = 60 * (HOUR * costs.TWO_CORES if minutes is None else minutes * speed)
        limit = costs.Cost(self._gigabytes(), gigaflop)
        names = next((names for names, cost in plans.items() if cost <= limit), [*plans][-1])
        logger.info(
            "ensemble of %s, for %s users and %s items: about %d minutes and %.1f GB",
            ", ".join(names),
            *(f"{n:,}" for n in train.shape),
            ceil(plans[names].gigaflop / speed / 60),
            plans[names].gigabytes,
        )
        also = ["transitions"] * self.reads_order
        return {name: members[name] for name in [*also, *names]}

    @property
    def reads_order(self) -> bool:
        """Whether there is a half-life: only then Transitions is a member."""
        return self.half_life is not None

    def votes(self, name: str) -> int:
        """What comes next counts as much as all that the others say of the taste."""
        return max(1, len(self.members_) - 1) if name == "transitions" else 1

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        """Learn as validation users choose, or else some of the training users.

        If those are many, learn from all in the end.
        """
        if validation is not None or self.chosen_ is not None:
            self._learn_by(validation, train, context)
            return
        rest, own = with_validation(train, self.seed, in_order=self.reads_order)
        n_own = train.shape[0] - rest.shape[0]
        twice = rest.nnz < (1 - FEW) * train.nnz and context.deadline is None
        if own is not None:
            then = "; then the members are fitted once more, to all" if twice else ""
            logger.info("%s of the users validate%s", f"{n_own:,}", then)
            context = replace(context, shared={})  # as it is of all users
        self._learn_by(own, rest, context)
        if twice and not self.interrupted_:
            self._fit_anew(train, context)

    def _learn_by(
        self, validation: Holdout | None, train: sp.csr_matrix, context: FitContext
    ) -> None:
        super().learn(train, validation, context)
        if validation is not None:
            self._leave_out_harmful(validation)

    def _fit_anew(self, train: sp.csr_matrix, context: FitContext) -> None:
        """Fit the members as they were chosen, to all users; if it fails, they stay as they are."""
        again, kept = self.as_chosen(), self.facts_.data is not None
        try:
            again.fit(train, checkpoints=context.part("all"), keep_data=kept)
            self.interrupted_ = again.interrupted_
        except KeyboardInterrupt:
            self.interrupted_ = True
        except TrainingError as error:
            logger.warning("the ensemble was not fitted to the users who validate: %s", error)
            return
        if not self.interrupted_:
            self._set_members(again.members_)

    def _leave_out_harmful(self, validation: Holdout) -> None:
        """Leave out members without which the validation users' lists are better beyond chance."""
        values = _per_user(self, validation)
        for name in list(self.members_):
            fewer = copy(self)
            fewer.members_ = {other: m for other, m in self.members_.items() if other != name}
            if not fewer.members_:
                break
            gains = _per_user(fewer, validation) - values
            if len(gains) > 1 and gains.mean() > CHANCE * gains.std(ddof=1) / len(gains) ** 0.5:
                logger.info("the ensemble leaves %s out: it is better without", name)
                self.members_, values = fewer.members_, values + gains
        self.history_ = None if self.leader_ is None else self.leader_.history_

    def _plans(self, train: sp.csr_matrix) -> dict[tuple[str, ...], costs.Cost]:
        """The members that the data may have and what they take, the most accurate ones first."""
        (n_users, n_items), nnz = train.shape, train.nnz
        linear = costs.closed_form(n_items)
        neighbors = costs.regressions(n_items, nnz, SparseEDLAE.n_neighbors)

        def trained(width: int, epochs: int) -> costs.Cost:
            return costs.softmax(n_users, min(n_items, LARGE), width, epochs)

        if linear.gigaflop > neighbors.gigaflop or linear.gigabytes > self._gigabytes():
            daes = [f"dae{number}" for number in range(self.n_vaes)]
            return {
                ("sparse-edlae", *daes): neighbors + trained(DAE[0], DAE[1] * self.n_vaes),
                ("sparse-edlae", "dae0"): neighbors + trained(*DAE),
            }
        # Epochs are those of the defaults, whatever self.epochs: the best may be few.
        epochs, elsa = ResidualVAE.epochs * self.n_vaes, trained(self.rank, ELSA.epochs)
        of_vaes = costs.linear_path(nnz, n_items, epochs) + trained(self.latent, epochs)
        vaes = [f"vae{number}" for number in range(self.n_vaes)]
        of_vae = trained(max(MultVAE.hidden), MultVAE.epochs)
        return {
            ("elsa", "als", *vaes): elsa + of_vaes,
            ("edlae", "elsa", "als", "mult-vae"): linear + elsa + of_vae,
            ("edlae", "elsa", "als"): linear + elsa,
        }

    def _gigabytes(self) -> float:
        return min(self.max_gigabytes, machine.gigabytes())


def _per_user(model: Recommender, validation: Holdout) -> np.ndarray:
    """The metric of each user; a user who is there several times has the mean."""
    values = evaluate(model, validation, (METRIC,)).per_user[METRIC]
    return values.groupby(level=0, dropna=False).mean().to_numpy()
