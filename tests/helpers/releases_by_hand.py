"""Releases of a few lines, laid out as their publishers lay them out."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

FLAGS_OF_TOY_STORY = "0|0|0|1|1|1" + "|0" * 13
ML_100K = {
    "u.data": "3\t20\t4\t881250949\n1\t10\t5\t891717742\n1\t20\t2\t878887116\n",
    "u.item": (
        f"10|Café Story (1995)|01-Jan-1995||http://a/b?c|{FLAGS_OF_TOY_STORY}\n"
        f"20|unknown||||1{'|0' * 18}\n"
    ),
    "u.user": "1|24|M|technician|85711\n3|53|F|other|T8H1N\n",
}
ML_1M = {
    "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n2::661::4::978301968\n",
    "movies.dat": (
        "661::James: A Peach (1996)::Animation|Children's\n"
        '1193::"Cuckoo", Café (1975)::Drama\n'
        "9::Never Rated (1950)::Drama\n"
    ),
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072-1234\n",
}
ML_10M = {
    "ratings.dat": "1::122::5::838985046\n1::185::0.5::838983525\n2::122::3.5::868245777\n",
    "movies.dat": "122::Boomerang: Café (1992)::Comedy|Romance\n185::Net (1995)::Action\n",
    "tags.dat": '15::122::so: so, "good"::1215184630\n',
}
CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,29,0.5,1112484676\n"
    "7,2,4.0,1112484819\n",
    "movies.csv": "movieId,title,genres\n2,Café (1995),Adventure|Children\n"
    '29,"City, The ""Lost"" (Cité) (1995)",(no genres listed)\n',
    "tags.csv": 'userId,movieId,tag,timestamp\n18,29,"Mark, ""Waters""",1240597180\n',
}
CRLF = {name: text.replace("\n", "\r\n") for name, text in CSV.items()}

LASTFM = {
    "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n2\t53\t1\n7\t51\t20\n",
    "artists.dat": (
        "id\tname\turl\tpictureURL\n51\tSigur Rós (1994)\thttp://a\t\n"
        '53\tLee "Scratch" Perry\thttp://b\thttp://c\n'
    ),
}
MOVIETWEETINGS = {
    "ratings.dat": (
        "1::0002844::7::1365029107\n1::0120735::0::1365029108\n2::0120735::10::1364690142\n"
    ),
    "movies.dat": (
        "0002844::Fantômas: À l'ombre (1913)::Crime|Drama\n0120735::Lock, Stock (1998)::\n"
    ),
}
GOWALLA = {"train.txt": "0 5 2\n1 \n\n3 2\n", "test.txt": "0 9\n1 2\n"}
NETFLIX = {
    "combined_data_1.txt": "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n",
    "combined_data_2.txt": "13:\n30878,4,1970-01-02\n",
}

RELEASES_BY_HAND: dict[str, Mapping[str, str]] = {
    "ml-100k": ML_100K,
    "ml-1m": ML_1M,
    "ml-10m": ML_10M,
    "ml-20m": CSV,
    "ml-25m": CRLF,
    "ml-32m": CSV,
    "ml-latest-small": CRLF,
    "ml-latest": CSV,
    "lastfm-2k": LASTFM,
    "movietweetings-100k": MOVIETWEETINGS,
    "gowalla": GOWALLA,
    "netflix": NETFLIX,
}
LATIN_1 = ("ml-100k", "ml-1m")
ZIP_FOLDERS = {"ml-10m": "ml-10M100K"}


def encoded(name: str) -> dict[str, bytes]:
    """The files of a release, as bytes."""
    encoding = "latin-1" if name in LATIN_1 else "utf8"
    return {file: text.encode(encoding) for file, text in RELEASES_BY_HAND[name].items()}


def write_folder(directory: Path, name: str) -> Path:
    """Put an unpacked release into a data directory."""
    folder = directory / name
    folder.mkdir(parents=True)
    for file, content in encoded(name).items():
        (folder / file).write_bytes(content)
    return folder


def write_zip(directory: Path, name: str) -> Path:
    """Put a release's zip into a directory."""
    path = directory / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in encoded(name).items():
            archive.writestr(f"{ZIP_FOLDERS.get(name, name)}/{file}", content)
    return path


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()
