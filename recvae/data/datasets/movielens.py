"""MovieLens: every release that GroupLens offers."""

# ruff: noqa: SIM905 (a list of words reads best as a sentence)

from typing import TypeAlias

from recvae.data.datasets.declaration import ColumnType, Layout, Release, Size, TableFile, Zip

HOME = "https://grouplens.org/datasets/movielens/"
FILES = "https://files.grouplens.org/datasets/movielens/"

FLAGS = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
"""The genres of ML-100K, a column of 0 and 1 for each, in this order."""

Columns: TypeAlias = dict[str, ColumnType | None]
FLAG: ColumnType = "int8"
RATING: Columns = {"user": "int32", "item": "int32", "rating": "float32", "timestamp": "int64"}
ITEM: Columns = {"item": "int32", "title": "string", "genres": "string"}
TAG: Columns = {"user": "int32", "item": "int32", "tag": "string", "timestamp": "int64"}

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

ML_100K = Layout(
    ratings=(TableFile(("u.data",), RATING, "\t"),),
    items=TableFile(
        ("u.item",),
        {"item": "int32", "title": "string", "released": None, "video": None, "url": None}
        | dict.fromkeys(FLAGS, FLAG),
        "|",
        encoding="latin-1",
    ),
    users=TableFile(
        ("u.user",),
        {
            "user": "int32",
            "age": "int16",
            "gender": "string",
            "occupation": "string",
            "zip_code": "string",
        },
        "|",
    ),
    genres=tuple(FLAGS),
)

ML_1M = Layout(
    ratings=(TableFile(("ratings.dat",), RATING, "::"),),
    items=TableFile(("movies.dat",), ITEM, "::", encoding="latin-1"),
    users=TableFile(
        ("users.dat",),
        {
            "user": "int32",
            "gender": "string",
            "age": "int16",
            "occupation": "int16",
            "zip_code": "string",
        },
        "::",
    ),
)

ML_10M = Layout(
    ratings=(TableFile(("ratings.dat",), RATING, "::"),),
    items=TableFile(("movies.dat",), ITEM, "::"),
    tags=TableFile(("tags.dat",), TAG, "::"),
)

ML_CSV = Layout(
    ratings=(
        TableFile(("ratings.csv",), RATING, ",", ("userId", "movieId", "rating", "timestamp")),
    ),
    items=TableFile(("movies.csv",), ITEM, ",", ("movieId", "title", "genres")),
    tags=TableFile(("tags.csv",), TAG, ",", ("userId", "movieId", "tag", "timestamp")),
)


MD5 = {
    "ml-100k": "0e33842e24a9c977be4e0107933c0723",
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-10m": "ce571fd55effeba0271552578f2648bd",
    "ml-20m": "cd245b17a1ae2cc31bb14903e1204af3",
    "ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada",
    "ml-32m": "d472be332d4daa821edc399621853b57",
}
"""The checksums of the zips; those of the two "latest" releases change when these do."""


def _release(
    name: str, layout: Layout, size: Size, licence: str, megabytes: int, folder: str | None = None
) -> Release:
    archive = Zip(f"{FILES}{name}.zip", folder or name, megabytes, MD5.get(name))
    return Release(name, HOME, size, layout, licence, archive)


MOVIELENS = (
    _release("ml-100k", ML_100K, Size(100_000, 943, 1_682), RESEARCH_ONLY, 5),
    _release("ml-1m", ML_1M, Size(1_000_209, 6_040, 3_706), RESEARCH_ONLY, 6),
    _release("ml-10m", ML_10M, Size(10_000_054, 69_878, 10_677), RESEARCH_ONLY, 66, "ml-10M100K"),
    _release("ml-20m", ML_CSV, Size(20_000_263, 138_493, 26_744), SHARE_ALIKE, 199),
    _release("ml-25m", ML_CSV, Size(25_000_095, 162_541, 59_047), SHARE_ALIKE, 262),
    _release("ml-32m", ML_CSV, Size(32_000_204, 200_948, 84_432), SHARE_ALIKE, 239),
    _release("ml-latest-small", ML_CSV, Size(100_836, 610, 9_724), SHARE_ALIKE, 1),
    _release("ml-latest", ML_CSV, Size(33_832_162, 330_975, 83_239), SHARE_ALIKE, 351),
)
