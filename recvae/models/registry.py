"""Registry: every model by the name that the command line calls it.

A class is imported when it is asked for, so that the names alone cost nothing. Packages of others
add theirs by the entry point `recvae.models`; docs/add-a-model.md shows how.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from recvae.errors import OptionError

if TYPE_CHECKING:
    from recvae.models.contract.recommender import Recommender

GROUP = "recvae.models"

BUILT_IN = {
    "ensemble": "recvae.models.residual_ensemble:ResidualEnsemble",
    "ensemble-of": "recvae.models.ensemble:Ensemble",
    "residual-vae": "recvae.models.residual_vae:ResidualVAE",
    "mult-vae": "recvae.models.mult_vae:MultVAE",
    "mult-dae": "recvae.models.mult_dae:MultDAE",
    "rec-vae": "recvae.models.rec_vae:RecVAE",
    "vamp-vae": "recvae.models.vamp_vae:VampVAE",
    "ease": "recvae.models.ease:EASE",
    "edlae": "recvae.models.edlae:EDLAE",
    "sparse-edlae": "recvae.models.sparse_edlae:SparseEDLAE",
    "elsa": "recvae.models.elsa:ELSA",
    "graph-ae": "recvae.models.graph_ae:GraphAE",
    "als": "recvae.models.implicit_als:ImplicitALS",
    "bpr": "recvae.models.implicit_bpr:ImplicitBPR",
    "lmf": "recvae.models.implicit_lmf:ImplicitLMF",
    "item-knn": "recvae.models.item_knn:ItemKNN",
    "transitions": "recvae.models.transitions:Transitions",
    "popularity": "recvae.models.popularity:Popularity",
}
"""The module and the class of each model of this package."""


class Registry(Mapping[str, "type[Recommender]"]):
    """The classes of all models by name, those of other packages last.

    A name of this package is its own: another package can't take it.
    """

    @cached_property
    def _places(self) -> dict[str, str]:
        others = {point.name: point.value for point in entry_points(group=GROUP)}
        return BUILT_IN | {name: others[name] for name in sorted(others) if name not in BUILT_IN}

    def __getitem__(self, name: str) -> "type[Recommender]":
        """Import a model's class.

        Raises:
            KeyError: there is no such model.
            OptionError: it is of another package, and is not there or is no recommender.
        """
        point = EntryPoint(name, self._places[name], GROUP)
        try:
            cls: type[Recommender] = point.load()
            if cls.name == name:
                return cls
        except (ImportError, AttributeError) as error:
            raise OptionError(
                f"the model {name!r} can't be imported from {point.value} ({error}): install the "
                "package that it is of anew, or remove it."
            ) from error
        raise OptionError(
            f"the model {name!r} of {point.value} calls itself {cls.name!r}: its entry point must "
            "have the same name."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places


MODELS = Registry()
"""Every recommender's class, by the name that the command line calls it."""
