"""Ensemble: combines the scores of any models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from annotated_types import MinLen
from pydantic import PlainValidator

from recvae.models.building import build_model
from recvae.models.contract import Recommender
from recvae.models.families.pooled import PooledRecommender, with_options
from recvae.options.ranges import NonNegativeInt, PositiveFloat

LEAST = 2
"""The least number of members."""
RESERVED = "cold_items", "cold_users"
"""What is saved beside the members: no member can have its name."""


def read_members(given: Any) -> dict[str, Recommender]:
    """Read members: recommenders, names of models, or mappings with a model's name and options.

    They may be given by name, or as a list: then they are named by their models, `ease`,
    `mult-vae`, `mult-vae-2`. Text is a list of models, such as `ease,als`.

    Raises:
        OptionError: there are fewer than two, a model or an option is unknown, or a member can't
            serve new users.
    """
    if isinstance(given, str):
        given = given.split(",")
    members = given if isinstance(given, Mapping) else _named([_built(one) for one in given])
    built = {str(name): _built(one) for name, one in members.items()}
    if len(built) < LEAST:
        raise ValueError(f"give an ensemble {LEAST} members or more")
    if strangers := [one.name for one in built.values() if not one.supports_new_users]:
        raise ValueError(f"{strangers[0]} knows only the users it was trained on")
    if wrong := [name for name in built if "." in name or name in RESERVED]:
        raise ValueError(
            f"the name of a member can't have a dot, or be one of {RESERVED}: {wrong[0]}"
        )
    return built


Members: TypeAlias = Annotated[
    Mapping[str, Recommender] | Sequence[Recommender], PlainValidator(read_members)
]


@dataclass(kw_only=True, eq=False)
class Ensemble(PooledRecommender):
    """Any models, pooled: `Ensemble(members=[EASE(), MultVAE()])`.

    Each member is fitted by itself. An item's score is the sum of its log-probabilities by all
    members; scores that are no log-probabilities are turned into log-proportions (see
    `pooling.py`). Members that make different errors help each other most.

    Attributes:
        members: two models or more, by name or as a list; they are not fitted themselves. On the
            command line their names, `--set members=ease,als`.
        seed: decides everything random in all members; None keeps the members' own seeds.
        device: the device of all members that have one; None keeps the members' own.
        half_life: of all members that have one, see `Model`; None keeps the members' own.
    """

    name = "ensemble-of"

    members: Members = ()
    seed: NonNegativeInt | None = None
    device: Annotated[str, MinLen(1)] | None = None
    half_life: PositiveFloat | None = None

    def new_members(self) -> dict[str, Recommender]:
        """Copies of the members, with those options that they share with the ensemble."""
        members = read_members(self.members)
        return with_options(members, seed=self.seed, device=self.device, half_life=self.half_life)


def _built(one: Any) -> Recommender:
    match one:
        case Recommender():
            return one
        case str():
            return build_model(one.strip())
        case {"model": str(model), **options}:
            return build_model(model, {str(name): value for name, value in options.items()})
    raise ValueError(f"{one!r} is no model: give recommenders, or their names")


def _named(members: Sequence[Recommender]) -> dict[str, Recommender]:
    """Members by the names of their models; the second of a kind gets `-2`, and so on."""
    named: dict[str, Recommender] = {}
    for member in members:
        same = sum(one.name == member.name for one in named.values())
        named[f"{member.name}-{same + 1}" if same else member.name] = member
    return named
