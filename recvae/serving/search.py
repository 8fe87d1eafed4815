"""Search: finds items by words of their titles."""

import unicodedata
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BLOCK = 8192
"""How many titles Arrow searches at a time; other threads can run meanwhile."""


class TitleSearch:
    """Finds the titles that contain all words of a query, the most popular first."""

    def __init__(self, titles: Sequence[str], counts: np.ndarray) -> None:
        """Take the title of each column, and how many users have it."""
        columns = np.argsort(-counts, kind="stable")
        texts = pa.array([fold_text(titles[column]) for column in columns], pa.string())
        table = pa.table({"column": pa.array(columns), "text": texts})
        self._blocks = table.to_batches(max_chunksize=BLOCK)

    def find(self, query: str, k: int) -> list[int]:
        """The k most popular columns whose titles contain each word of the query."""
        words = fold_text(query).split()
        found = (column for titles in self._blocks for column in _with_all(words, titles))
        return [int(column) for column in islice(found, k)]


def _with_all(words: Sequence[str], titles: pa.RecordBatch) -> np.ndarray:
    """The columns of the titles that contain each word."""
    for word in words:
        titles = titles.filter(pc.match_substring(titles["text"], word))
    return titles["column"].to_numpy()


def fold_text(text: str) -> str:
    """Text without accents and case: `fold_text("Amélie")` is `"amelie"`."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
