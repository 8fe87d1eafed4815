"""Ensemble: any models, their scores combined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar, TypeAlias

from annotated_types import MinLen
from pydantic import PlainValidator

from recvae.models.contract.recommender import Recommender
from recvae.models.families.pooled import PooledRecommender
from recvae.models.registry import build_model
from recvae.options.ranges import NonNegativeInt

LEAST = 2
"""Members that make an ensemble."""


def read_members(given: Any) -> dict[str, Recommender]:
    """Members by name: of recommenders, their names, or mappings of a name and options.

    A list names them by their models, `ease`, `mult-vae`, `mult-vae-2`; text is a list, such as
    `ease,als`.

    Raises:
        OptionError: there are fewer than two, a model or an option is unknown, or a member knows
            only the users it was trained on.
    """
    if isinstance(given, str):
        given = given.split(",")
    members = given if isinstance(given, Mapping) else _named([_built(one) for one in given])
    built = {str(name): _built(one) for name, one in members.items()}
    if len(built) < LEAST:
        raise ValueError(f"give an ensemble {LEAST} members or more")
    if strangers := [one.name for one in built.values() if not one.supports_new_users]:
        raise ValueError(f"{strangers[0]} knows only the users it was trained on")
    if dotted := [name for name in built if "." in name]:
        raise ValueError(f"the name of a member can't have a dot: {dotted[0]}")
    return built


Members: TypeAlias = Annotated[
    Mapping[str, Recommender] | Sequence[Recommender], PlainValidator(read_members)
]


@dataclass(kw_only=True, eq=False)
class Ensemble(PooledRecommender):
    """Any models, pooled: `Ensemble(members=[EASE(), MultVAE()])`.

    Each is fitted by itself; an item's score is the sum of its log-probabilities by all of them.
    Scores that are no log-probabilities are made such, by their proportions (see `pooling.py`).
    Models help each other that err differently.

    Attributes:
        members: two models or more, which stay unfitted: by name, or a list. On the command line
            their names, `--set members=ease,als`.
        seed: decides everything random in all of them; None leaves each its own.
        device: where those live that live on a device; None leaves each its own.
    """

    name: ClassVar[str] = "ensemble-of"

    members: Members = ()
    seed: NonNegativeInt | None = None
    device: Annotated[str, MinLen(1)] | None = None

    def new_members(self) -> dict[str, Recommender]:
        """Copies of the members, which have the seed and the device of the ensemble."""
        ours = {"seed": self.seed, "device": self.device}
        return {
            name: replace(
                member,
                **{
                    field.name: ours[field.name]
                    for field in fields(member)
                    if ours.get(field.name) is not None
                },
            )
            for name, member in read_members(self.members).items()
        }


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
    """Members by the names of their models, those that come again numbered."""
    named: dict[str, Recommender] = {}
    for member in members:
        same = sum(one.name == member.name for one in named.values())
        named[f"{member.name}-{same + 1}" if same else member.name] = member
    return named
