"""Releases: every MovieLens data set that GroupLens offers, and how its files are written."""

# ruff: noqa: SIM905 (a list of words reads best as a sentence)

from dataclasses import dataclass

import pyarrow as pa

from recvae.data.datasets.files import TableFile

ID, STARS, SECONDS, TEXT, FLAG = pa.int32(), pa.float32(), pa.int64(), pa.string(), pa.int8()

FLAGS = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
"""The genres of ML-100K, a column of 0 and 1 for each, in this order."""

RATING = {"user": ID, "item": ID, "rating": STARS, "timestamp": SECONDS}
ITEM = {"item": ID, "title": TEXT, "genres": TEXT}
TAG = {"user": ID, "item": ID, "tag": TEXT, "timestamp": SECONDS}

RESEARCH_ONLY = (
    "MovieLens data by GroupLens, University of Minnesota: for research, acknowledged in what "
    "you publish; not to be passed on, nor used commercially, without their permission. "
    "The terms are in the README that comes with the data."
)
SHARE_ALIKE = (
    "MovieLens data by GroupLens, University of Minnesota: for research, acknowledged in what "
    "you publish; to be passed on only under the same terms, and not to be used commercially "
    "without their permission. The terms are in the README that comes with the data."
)


@dataclass(frozen=True)
class Layout:
    """The files of a release; None for what it does not have."""

    ratings: TableFile
    items: TableFile
    users: TableFile | None = None
    tags: TableFile | None = None

    @property
    def interaction_files(self) -> list[TableFile]:
        """The files that Interactions are made of."""
        return [file for file in (self.ratings, self.items, self.users) if file]


@dataclass(frozen=True)
class Release:
    """One published MovieLens data set.

    Attributes:
        name: what `load_dataset` calls it, and the name of its zip.
        layout: how its files are written.
        licence: what its users may do, in short.
        md5: of its zip; None if GroupLens replaces the zip now and then.
        folder: the folder in its zip; None if called like the release.
    """

    name: str
    layout: Layout
    licence: str
    md5: str | None = None
    folder: str | None = None


ML_100K = Layout(
    ratings=TableFile("u.data", RATING, "\t"),
    items=TableFile(
        "u.item",
        {"item": ID, "title": TEXT, "released": None, "video": None, "url": None}
        | dict.fromkeys(FLAGS, FLAG),
        "|",
        encoding="latin-1",
    ),
    users=TableFile(
        "u.user",
        {"user": ID, "age": pa.int16(), "gender": TEXT, "occupation": TEXT, "zip_code": TEXT},
        "|",
    ),
)

ML_1M = Layout(
    ratings=TableFile("ratings.dat", RATING, "::"),
    items=TableFile("movies.dat", ITEM, "::", encoding="latin-1"),
    users=TableFile(
        "users.dat",
        {"user": ID, "gender": TEXT, "age": pa.int16(), "occupation": pa.int16(), "zip_code": TEXT},
        "::",
    ),
)

ML_10M = Layout(
    ratings=TableFile("ratings.dat", RATING, "::"),
    items=TableFile("movies.dat", ITEM, "::"),
    tags=TableFile("tags.dat", TAG, "::"),
)

ML_CSV = Layout(
    ratings=TableFile("ratings.csv", RATING, ",", ("userId", "movieId", "rating", "timestamp")),
    items=TableFile("movies.csv", ITEM, ",", ("movieId", "title", "genres")),
    tags=TableFile("tags.csv", TAG, ",", ("userId", "movieId", "tag", "timestamp")),
)


RELEASES = {
    release.name: release
    for release in (
        Release("ml-100k", ML_100K, RESEARCH_ONLY, "0e33842e24a9c977be4e0107933c0723"),
        Release("ml-1m", ML_1M, RESEARCH_ONLY, "c4d9eecfca2ab87c1945afe126590906"),
        Release("ml-10m", ML_10M, RESEARCH_ONLY, "ce571fd55effeba0271552578f2648bd", "ml-10M100K"),
        Release("ml-20m", ML_CSV, SHARE_ALIKE, "cd245b17a1ae2cc31bb14903e1204af3"),
        Release("ml-25m", ML_CSV, SHARE_ALIKE, "6b51fb2759a8657d3bfcbfc42b592ada"),
        Release("ml-32m", ML_CSV, SHARE_ALIKE, "d472be332d4daa821edc399621853b57"),
        Release("ml-latest-small", ML_CSV, SHARE_ALIKE),
        Release("ml-latest", ML_CSV, SHARE_ALIKE),
    )
}
"""The MovieLens releases by name."""
