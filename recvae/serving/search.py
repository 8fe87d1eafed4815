"""Search: items by words of their titles."""

import unicodedata
from collections.abc import Sequence
from itertools import islice

import numpy as np


class Search:
    """Finds the titles that have all words asked for, the most popular first."""

    def __init__(self, titles: Sequence[str], counts: np.ndarray) -> None:
        """Take the title of each column, and how many users have it."""
        self._plain = [plain(title) for title in titles]
        self._by_popularity = np.argsort(-counts, kind="stable").tolist()

    def find(self, query: str, k: int) -> list[int]:
        """The first k columns whose titles have each word of the query as a part."""
        words = plain(query).split()
        found = (
            column
            for column in self._by_popularity
            if all(word in self._plain[column] for word in words)
        )
        return list(islice(found, k))


def plain(text: str) -> str:
    """Text without accents and case: `plain("Amélie")` is `"amelie"`."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
