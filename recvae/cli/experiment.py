"""Data, filtered and split: the same arguments give the same users to every command."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import recvae as rv
from recvae.cli.arguments import PLACE
from recvae.cli.source import DataOptions, are_shards, is_file, require_usual
from recvae.disk.databases import without_password

MIN_RATING = 4.0
"""The least rating that counts as a like in named data sets, all of which have up to 5 stars."""

PERIODS = "time", "repeats"
OF_SPLIT = {"held_out_users": ("users", "items"), "validation_from": PERIODS, "test_from": PERIODS}
"""The options that belong to some kinds of splits only."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of the data.

    Filters options:
        min_rating: a like is what is rated, or weighs, at least this.
        min_user_items: keep users with so many items.
        min_item_users: keep items with so many users.
        k_core: repeat these two until both hold at once.
    """

    min_rating: Annotated[
        float | None,
        typer.Option(
            "--min-rating",
            "--min-weight",
            show_default=f"{MIN_RATING:.0f} for data sets known by name, none for files",
        ),
    ] = None
    min_user_items: int = 5
    min_item_users: int = 1
    k_core: bool = False

    @property
    def filters(self) -> dict[str, Any]:
        """The filters by name, except the least weight."""
        return {
            "min_user_items": self.min_user_items,
            "min_item_users": self.min_item_users,
            "k_core": self.k_core,
        }


@dataclass(frozen=True, kw_only=True)
class Experiment(Filters, DataOptions):
    """Data, filtered and split: the same arguments give the same users to every command.

    Data options:
        data: a data set's name (`recvae data` lists them), a CSV, TSV or Parquet file, a folder of
            Parquet files, a database such as postgresql://user@host/shop, with --query, or, to
            train and evaluate, a folder of shards (`recvae shard`).

    Split options:
        split: what is held out: users, whose lists the model has never seen; interactions of every
            user at random; items that nobody has in training, for --item-features (`recvae train`
            and `evaluate` alone); the last of every user; all that is new after a point in time;
            all after it, new or had before (repeats); what the data's test.txt says, a line per
            user, as in papers; or none, to train on all there is (`recvae train` alone).
        held_out_users: for --split users or items: how many validate, and how many test.
        validation_from: for --split time or repeats: when validation begins, as 2003-01-31.
        test_from: for --split time or repeats: when the test begins.
        without_disliked: make lists without what users are known to have met and rated lower.
            Papers let it stand in the lists, as a miss.
        seed: decides the split.
    """

    data: Annotated[str, PLACE]
    split: Literal[
        "users", "interactions", "items", "last", "time", "repeats", "published", "none"
    ] = "users"
    held_out_users: Annotated[
        int | None, typer.Option(min=1, show_default="1000, or a fifth of the users")
    ] = None
    validation_from: str | None = None
    test_from: str | None = None
    without_disliked: bool = False
    seed: int = 98765

    def __post_init__(self) -> None:
        for name, kinds in OF_SPLIT.items():
            if getattr(self, name) is not None and self.split not in kinds:
                option, splits = f"--{name.replace('_', '-')}", " or ".join(kinds)
                raise typer.BadParameter(
                    f"{option} is for --split {splits}: leave out one of them."
                )

    def prepare(self) -> "rv.Split | rv.ShardSplit":
        """Read, filter and split; of shards, the training users stay on the disk."""
        return self._split_shards() if are_shards(self.data) else self._split_in_memory()

    def prepare_for_choice(self) -> "rv.Split":
        """Read, filter and split, to fit several models or options without item features."""
        if self.split == "items":
            raise typer.BadParameter(
                "--split items is for models with --item-features: `recvae train` each of them, "
                "then `recvae evaluate` it by the same split."
            )
        return self._split_in_memory()

    def _split_in_memory(self) -> "rv.Split":
        split = self._split()
        return split.without_disliked() if self.without_disliked else split

    def _split(self) -> "rv.Split":
        if self.split == "published":
            return self._read_split()
        if self.split == "repeats":
            return self._split_repeats()
        data, n = self._read(), self.held_out_users
        match self.split:
            case "users":
                return rv.split_users(data, n_validation=n, n_test=n, seed=self.seed)
            case "items":
                return rv.split_items(data, n_validation=n, n_test=n, seed=self.seed)
            case "interactions":
                return rv.split_interactions(data, seed=self.seed)
            case "last":
                return rv.split_last(data)
            case "time":
                return rv.split_time(data, *self._points_in_time())
            case "none":
                raise typer.BadParameter("--split none leaves nobody to judge a model by.")

    def prepare_folds(self, n_folds: int) -> "list[rv.Split]":
        """Read, filter, and hold every user out once."""
        if self.split != "users":
            raise typer.BadParameter("--folds are of users: leave out --split.")
        folds = rv.split_folds(self._read(), n_folds, self.held_out_users, seed=self.seed)
        return [fold.without_disliked() for fold in folds] if self.without_disliked else folds

    def learn_from(self) -> "tuple[rv.Interactions | rv.Shards, rv.Holdout | None]":
        """The training data, and the validation users, if there are any."""
        if self.split == "none":
            return self._open_shards() if are_shards(self.data) else self._read(), None
        split = self.prepare()
        return split.train, split.validation

    @property
    def arguments(self) -> list[str]:
        """The command line arguments for this, without those that have their default."""
        words: list[str] = []
        for field in fields(self):
            if (value := getattr(self, field.name)) != field.default:
                words.append(f"--{field.name.replace('_', '-')}")
                words += [] if value is True else [without_password(str(value))]
        return words

    @property
    def description(self) -> str:
        """The data, filters and split in a line."""
        if self.split == "published":
            return f"{self.data}, split as published, validation pairs by seed {self.seed}"
        least = "" if self._min_weight is None else f", weight >= {self._min_weight:g}"
        when = "" if self.test_from is None else f" at {self.validation_from} and {self.test_from}"
        return (
            f"{without_password(self.data)}{least}, users with >= {self.min_user_items} items, "
            f"items with >= {self.min_item_users} users, split by {self.split}{when}, "
            f"seed {self.seed}{', lists without what is disliked' * self.without_disliked}"
        )

    @property
    def _min_weight(self) -> float | None:
        if self.min_rating is None and not is_file(self.data):
            return MIN_RATING
        return self.min_rating

    def _read(self) -> "rv.Interactions":
        return self.read(self.data, min_weight=self._min_weight, **self.filters)

    def _read_split(self) -> "rv.Split":
        from recvae.data.datasets.releases import data_directory

        self._require_bare("a published split", "it is taken as it is")
        is_path = is_file(self.data)
        folder = Path(self.data) if is_path else data_directory(self.data_dir) / self.data
        return rv.read_split(folder, seed=self.seed)

    def _split_repeats(self) -> "rv.Split":
        if self.timestamp is None or not is_file(self.data):
            raise typer.BadParameter("--split repeats is for files that say when: --timestamp.")
        if self.items is not None:
            raise typer.BadParameter("--split repeats has training's items: leave out --items.")
        times = self._points_in_time()
        told = self.reading | self.filters | {"min_weight": self._min_weight}
        return rv.split_repeats(self.data, *times, **told)

    def _split_shards(self) -> "rv.ShardSplit":
        if self.split != "users":
            raise typer.BadParameter("shards are split by users, or not at all (--split none).")
        if self.without_disliked:
            raise typer.BadParameter("shards hold likes alone: leave out --without-disliked.")
        n = self.held_out_users
        return rv.split_shards(self._open_shards(), n_validation=n, n_test=n, seed=self.seed)

    def _open_shards(self) -> "rv.Shards":
        self._require_bare("shards", "they are filtered when they are made, by `recvae shard`")
        return rv.read_shards(self.data)

    def _require_bare(self, data: str, reason: str) -> None:
        """Raise typer.BadParameter if there are filters, or names of columns."""
        if self.filters != Filters().filters or self.min_rating is not None:
            raise typer.BadParameter(f"{data} can't be filtered: {reason}.")
        require_usual(data, self)
        if self.items is not None or self.users is not None:
            raise typer.BadParameter(f"{data} takes no tables: leave out --items and --users.")

    def _points_in_time(self) -> tuple[str, str]:
        if self.validation_from is None or self.test_from is None:
            raise typer.BadParameter(
                f"--split {self.split} needs --validation-from and --test-from."
            )
        return self.validation_from, self.test_from
