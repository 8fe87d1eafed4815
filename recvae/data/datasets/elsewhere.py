"""Elsewhere: data sets that are not MovieLens. They are put into the data directory by hand."""

from recvae.data.datasets.declaration import (
    HistoryFile,
    Layout,
    Release,
    SectionFiles,
    Size,
    TableFile,
)

NETFLIX = Release(
    name="netflix",
    home="https://www.kaggle.com/datasets/netflix-inc/netflix-prize-data",
    size=Size(100_480_507, 480_189, 17_770),
    layout=Layout(
        ratings=(SectionFiles(("combined_data_*.txt", "mv_*.txt", "training_set/mv_*.txt")),)
    ),
    licence=(
        "Netflix Prize data (Bennett and Lanning, 2007): for research, acknowledged in what you "
        "publish; not to be passed on, nor used commercially."
    ),
)

MOVIETWEETINGS = Release(
    name="movietweetings-100k",
    home="https://github.com/sidooms/MovieTweetings",
    size=Size(100_000, 16_554, 10_506),
    layout=Layout(
        ratings=(
            TableFile(
                "ratings.dat",
                {"user": "int32", "item": "string", "rating": "float32", "timestamp": "int64"},
                "::",
            ),
        ),
        items=TableFile(
            "movies.dat", {"item": "string", "title": "string", "genres": "string"}, "::"
        ),
        year_ends_title=True,
        lowest_rating=0,
    ),
    licence="MovieTweetings (Dooms, De Pessemier and Martens, 2013): MIT.",
)

LASTFM = Release(
    name="lastfm-2k",
    home="https://grouplens.org/datasets/hetrec-2011/",
    size=Size(92_834, 1_892, 17_632),
    layout=Layout(
        ratings=(
            TableFile(
                "user_artists.dat",
                {"user": "int32", "item": "int32", "rating": "float32"},
                "\t",
                ("userID", "artistID", "weight"),
            ),
        ),
        items=TableFile(
            "artists.dat",
            {"item": "int32", "title": "string", "url": None, "picture": None},
            "\t",
            ("id", "name", "url", "pictureURL"),
        ),
    ),
    licence=(
        "HetRec 2011 Last.FM data (Cantador, Brusilovsky and Kuflik, 2011): not for commercial "
        "use, acknowledged in what you publish. The terms are in the readme that comes with it."
    ),
)

GOWALLA = Release(
    name="gowalla",
    home="https://github.com/gusye1234/LightGCN-PyTorch",
    size=Size(1_027_370, 29_858, 40_981),
    layout=Layout(ratings=(HistoryFile("train.txt"), HistoryFile("test.txt"))),
    licence=(
        "Gowalla check-ins (Cho, Myers and Leskovec, 2011) as LightGCN (He et al., 2020) filters "
        "them: no licence is stated; to be acknowledged in what you publish."
    ),
)
