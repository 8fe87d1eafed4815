"""Search by words of titles."""

import numpy as np
import pytest

from recvae.serving import search
from recvae.serving.search import TitleSearch

TITLES = ["Star Wars (1977)", "Stardust (2007)", "War of the Stars", "Amélie (2001)", "STRAẞE"]
COUNTS = np.array([5, 7, 7, 1, 9])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("star", [1, 2, 0]),
        ("wars star", [0]),
        ("  STAR  war ", [2, 0]),
        ("amelie", [3]),
        ("AME\u0301LIE", [3]),
        ("strasse", [4]),
        ("(200", [1, 3]),
        ("nothing", []),
        ("", [4, 1, 2, 0, 3]),
    ],
)
def test_all_words_are_found_and_the_popular_come_first(query, found):
    assert TitleSearch(TITLES, COUNTS).find(query, 10) == found


def test_what_is_found_does_not_depend_on_the_blocks(monkeypatch):
    monkeypatch.setattr(search, "BLOCK", 2)
    assert TitleSearch(TITLES, COUNTS).find("star", 10) == [1, 2, 0]
    assert TitleSearch(TITLES, COUNTS).find("", 3) == [4, 1, 2]


def test_no_more_are_found_than_asked_for():
    assert TitleSearch(TITLES, COUNTS).find("star", 2) == [1, 2]
