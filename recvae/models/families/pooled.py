"""The base of ensembles: members that are fitted by themselves, and whose scores are added up."""

from abc import abstractmethod
from collections.abc import Callable, Hashable
from contextlib import suppress
from copy import copy
from dataclasses import fields, replace
from functools import reduce
from operator import iadd
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn

from recvae.data.splits import Holdout
from recvae.engine.batch import Batch
from recvae.errors import OptionError
from recvae.models.contract import Ability, Change, FitContext, Recommender, as_input
from recvae.models.contract.arrays import taken
from recvae.models.families.pooling import has_log_probabilities, log_proportions, pooled_products
from recvae.ranking.shortlist import Products
from recvae.saved.storage import Saved

CPU = torch.device("cpu")


class PooledRecommender(Recommender):  # no dataclass: `chosen_` is no option
    """Scores by the sum of the members' log-probabilities (see `pooling.py`).

    One member is the leader: it encodes and decodes, and its training history is the ensemble's. It
    is the first member with codes and log-probabilities, or else the first with codes.

    Attributes:
        members_: the fitted members by name. If time or Ctrl-C ended the training, some can be
            missing, unless the ensemble needs all.
        chosen_: the members that the next fit trains, as a former one chose; see `as_chosen`.
    """

    abilities = frozenset({Ability.CODES, Ability.LOG_PROBABILITIES, Ability.EXPORT})
    needs_all: ClassVar[bool] = True
    """Whether all members must be fitted; else time or Ctrl-C may leave out the last ones."""
    chosen_: dict[str, Recommender] | None = None

    @abstractmethod
    def new_members(self) -> dict[str, Recommender]:
        """New members by name, not fitted, in the order in which they are fitted."""

    def members_for(self, train: sp.csr_matrix, minutes: float | None) -> dict[str, Recommender]:
        """The new members that suit a training matrix and the time there is; here all of them."""
        return self.new_members()

    @property
    def reads_validation(self) -> bool:
        return any(member.reads_validation for member in self.new_members().values())

    def as_chosen(self) -> Self:
        again = super().as_chosen()
        if self._facts is None:
            return again
        # Of a model that was saved, the history of the leader alone is known.
        new = again.new_members()
        again.chosen_ = {
            name: new[name] if member.history_ is None else member.as_chosen()
            for name, member in self.members_.items()
        }
        return again

    def votes(self, name: str) -> int:
        """How often a member's log-probabilities are added; here once."""
        return 1

    def why_not(self, ability: Ability) -> str | None:
        """See `Recommender.why_not`: codes need one member that has them, export needs all."""
        members = self.new_members() if self._facts is None else self.members_
        if ability is Ability.CODES and _leader(members) is None:
            return self.lack_of(ability)
        if ability is Ability.EXPORT:
            return next(filter(None, (one.why_not(ability) for one in members.values())), None)
        return super().why_not(ability)

    @property
    def reads_weights(self) -> bool:
        return any(member.reads_weights for member in self.new_members().values())

    @property
    def reads_order(self) -> bool:
        return any(member.reads_order for member in self.new_members().values())

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        """Fit the members one after another; after Ctrl-C the trained ones are kept.

        Raises:
            KeyboardInterrupt: after Ctrl-C, if a member is missing that the ensemble needs.
        """
        self.members_: dict[str, Recommender] = {}
        chosen, self.chosen_ = self.chosen_, None
        members = chosen or self.members_for(train, context.minutes_left)
        for name, member in members.items():
            if context.minutes_left == 0 and self.members_ and not self.needs_all:
                self.interrupted_ = True
                break
            told = context.on_epoch if name == _leader(members) else None
            try:
                member.fit(
                    train,
                    validation,
                    told,
                    context.part(name),
                    minutes=context.minutes_left,
                    shared=context.shared,
                    keep_data=self.facts_.data is not None,
                )
            except KeyboardInterrupt:
                self.interrupted_ = True
                break
            self.members_[name] = member
            self.interrupted_ |= member.interrupted_
            # What has to have all members goes on when the time is over, but not after Ctrl-C.
            if member.interrupted_ and not (self.needs_all and context.minutes_left == 0):
                break
        if len(self.members_) < (len(members) if self.needs_all else 1):
            raise KeyboardInterrupt
        self._set_members(self.members_)
        self.history_ = None if self.leader_ is None else self.leader_.history_

    def relearn(self, change: Change, context: FitContext) -> None:
        """Update the members one after another; Ctrl-C ends it, as half an update is none."""
        self._set_members({name: copy(member) for name, member in self.members_.items()})
        self.interrupted_ = False
        for member in self.members_.values():
            member.relearn(change, context)
            if member.interrupted_:
                raise KeyboardInterrupt
        self.history_ = None if self.leader_ is None else self.leader_.history_

    def _set_members(self, members: dict[str, Recommender]) -> None:
        """Have these fitted members, with the facts about the ensemble's training data."""
        self.members_ = members
        for member in members.values():
            member.belong_to(self.facts_)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the members' log-probabilities, each up to a constant for each user."""
        weights = (weight for net in self.nets_ for weight in net.parameters())
        device = next((weight.device for weight in weights), CPU)
        seen = Batch.of(as_input(histories), device)
        return self._pooled(lambda member: member.score(histories), seen)

    def products(self) -> Products | None:
        votes = {member: self.votes(name) for name, member in self.members_.items()}
        return None if self.cold_items_ is not None else pooled_products(votes, len(self.items_))

    def forward(self, batch: Batch) -> torch.Tensor:
        return self._pooled(lambda member: member.forward(batch), batch)

    @property
    def nets_(self) -> list[nn.Module]:
        return [net for member in self.members_.values() for net in member.nets_]

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        return self._require_leader().encode(histories)

    def decode(self, codes: np.ndarray) -> torch.Tensor:
        return self._require_leader().decode(codes)

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        """The similarities of the first member that has them."""
        for member in self.members_.values():
            with suppress(OptionError):
                return member.similarities(columns)
        return super().similarities(columns)

    def shareable(self) -> dict[str, Hashable]:
        """The shareable parts of all members, each source once."""
        parts: dict[str, Hashable] = {}
        for name, member in self.new_members().items():
            for part, source in member.shareable().items():
                if source not in parts.values():
                    parts[f"{name}.{part}"] = source
        return parts

    def state(self) -> dict[str, torch.Tensor]:
        """The members' states; a part that several share is in it once."""
        state: dict[str, torch.Tensor] = {}
        saved: set[Hashable] = set()
        for name, member in self.members_.items():
            sources = member.shareable()
            state |= {
                f"{name}.{part}": tensor
                for part, tensor in member.state().items()
                if part not in sources or sources[part] not in saved
            }
            saved |= set(sources.values())
        return state

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        owners = {key.partition(".")[0] for key in state}
        members = {
            name: member
            for name, member in self.new_members().items()
            if self.needs_all or name in owners
        }
        if not members:
            raise ValueError("it has no members")
        shared: dict[Hashable, torch.Tensor] = {}
        self.members_ = {}
        for name, member in members.items():
            own, sources = taken(state, f"{name}."), member.shareable()
            own |= {part: shared[source] for part, source in sources.items() if source in shared}
            history = self.history_ if name == _leader(members) else None
            self.members_[name] = member.take(Saved(member.name, self.facts_, own, history))
            learnt = member.state()
            shared |= {source: learnt[part] for part, source in sources.items()}

    def _pooled(self, score: Callable[[Recommender], torch.Tensor], seen: Batch) -> torch.Tensor:
        """The sum of the members' log-probabilities; members that need no conversion come first."""
        members = sorted(
            self.members_.items(), key=lambda one: has_log_probabilities(one[1]), reverse=True
        )
        parts = (
            _log_probabilities(member, score, seen, self.votes(name)) for name, member in members
        )
        return reduce(iadd, parts)

    @property
    def leader_(self) -> Recommender | None:
        """The leader; None if no member has codes."""
        name = _leader(self.members_)
        return None if name is None else self.members_[name]

    def _require_leader(self) -> Recommender:
        self.require_fitted()
        self.require(Ability.CODES)
        assert self.leader_ is not None
        return self.leader_


def with_options(members: dict[str, Recommender], **given: Any) -> dict[str, Recommender]:
    """Copies of members with those given options that they have; None keeps a member's own."""
    ours = {option: value for option, value in given.items() if value is not None}
    return {
        name: replace(
            member,
            **{field.name: ours[field.name] for field in fields(member) if field.name in ours},
        )
        for name, member in members.items()
    }


def _log_probabilities(
    member: Recommender, score: Callable[[Recommender], torch.Tensor], seen: Batch, votes: int
) -> torch.Tensor:
    scores = score(member).to(seen.offsets.device)
    scores = scores if has_log_probabilities(member) else log_proportions(scores, seen)
    return scores if votes == 1 else scores.mul_(votes)


def _leader(members: dict[str, Recommender]) -> str | None:
    """The name of the leader, see `PooledRecommender`; None if no member has codes."""
    coders = [name for name, one in members.items() if one.why_not(Ability.CODES) is None]
    likely = [name for name in coders if has_log_probabilities(members[name])]
    return next(iter([*likely, *coders]), None)
