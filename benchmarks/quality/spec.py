"""What to measure, as a TOML file says it: data sets, protocols, models.

A data set names the function of recvae that reads it, a protocol the one that splits it; `options`
are their arguments. Paths are relative to the folder that `RECVAE_DATA` names, else to `data/`.
"""

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

import recvae as rv
from benchmarks.quality.blend import Blend
from recvae.evaluation.evaluate import DEFAULT_METRICS
from recvae.models import Recommender

RESULTS = Path(__file__).parent / "results.toml"
Options = dict[str, Any]


class Strict(BaseModel):
    """A table of the file; a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid")


class DataSet(Strict):
    """One of `load_dataset`, `read_interactions` and `read_split`, and what it is given."""

    title: str
    load_dataset: str | None = None
    read_interactions: Path | None = None
    read_split: Path | None = None
    options: Options = {}

    def read(self) -> rv.Interactions | rv.Split:
        """Read and filter it."""
        folder = Path(os.environ.get("RECVAE_DATA") or "data").expanduser()
        if self.read_split is not None:
            return rv.read_split(folder / self.read_split, **self.options)
        if self.read_interactions is not None:
            return rv.read_interactions(folder / self.read_interactions, **self.options)
        return rv.load_dataset(self.load_dataset or "", **self.options)


class Protocol(Strict):
    """One of the functions that split, or "published": the data are split."""

    title: str
    split: Annotated[str, Field(pattern="^(published|split_(users|folds|interactions|last))$")]
    options: Options = {}

    def splits(self, data: rv.Interactions | rv.Split) -> list[rv.Split]:
        """Make the splits, often just one."""
        if isinstance(data, rv.Split):
            return [data]
        made = getattr(rv, self.split)(data, **self.options)
        return [made] if isinstance(made, rv.Split) else made


class Entry(Strict):
    """A model, the options that differ from its defaults, and where these come from.

    `by_set` has those that only some sets are given; `of` names the entries whose options by set
    are an option of this one.
    """

    model: str
    options: Options = {}
    by_set: dict[str, Options] = {}
    source: str = "defaults"
    of: dict[str, str] = {}

    def build(self, data_set: str) -> Recommender:
        """Make the model for a set."""
        options = self.options | self.by_set.get(data_set, {})
        return Blend(**options) if self.model == Blend.name else rv.build_model(self.model, options)


class Spec(Strict):
    """All of a file."""

    title: str
    text: str
    seeds: list[int] = []
    metrics: list[str] = list(DEFAULT_METRICS)
    sets: dict[str, DataSet]
    protocols: dict[str, Protocol]
    models: list[Entry]

    @model_validator(mode="after")
    def _members_are_as_they_are_alone(self) -> Self:
        """Fill in the options of entries that are made of others."""
        alone = {entry.model: entry.by_set for entry in self.models}
        for entry in self.models:
            for name in self.sets if entry.of else ():
                options = {part: alone[member].get(name) for part, member in entry.of.items()}
                entry.by_set[name] = {part: found for part, found in options.items() if found}
        return self

    @model_validator(mode="after")
    def _sets_are_known(self) -> Self:
        """Refuse a set that nothing is said of."""
        _among([name for entry in self.models for name in entry.by_set], self.sets)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def only(self, sets: str | None, models: str | None) -> Self:
        """The same with these sets and models alone, named as in `a,b`; None keeps all."""
        kept_sets = _among(_names(sets, self.sets), self.sets)
        every = [entry.model for entry in self.models]
        kept_models = _among(_names(models, every), every)
        return self.model_copy(
            update={
                "sets": {name: self.sets[name] for name in kept_sets},
                "models": [entry for entry in self.models if entry.model in kept_models],
            }
        )

    def build(self, model: str, data_set: str) -> Recommender:
        """Make a model for a set, by its name."""
        (entry,) = (entry for entry in self.models if entry.model == model)
        return entry.build(data_set)


def _names(wanted: str | None, there: Collection[str]) -> Collection[str]:
    """The names in `a,b`."""
    return there if wanted is None else [name.strip() for name in wanted.split(",")]


def _among(names: Collection[str], there: Collection[str]) -> list[str]:
    """The names; one that is not there is refused."""
    for name in names:
        if name not in there:
            raise rv.errors.OptionError(
                f"the file has no {name!r}: {rv.errors.did_you_mean(name, there)}"
            )
    return list(names)
