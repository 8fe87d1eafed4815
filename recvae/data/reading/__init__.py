"""Reading: turns tables and arrays of raw ids into users x items."""

from recvae.data.reading.build import DuplicateWarning, build_interactions
from recvae.data.reading.histories import UnknownItemWarning, known_columns, read_histories
from recvae.data.reading.lines import read_lines
from recvae.data.reading.sources import read_columns
from recvae.data.reading.tables import read_interactions, read_items

__all__ = [
    "DuplicateWarning",
    "UnknownItemWarning",
    "build_interactions",
    "known_columns",
    "read_columns",
    "read_histories",
    "read_interactions",
    "read_items",
    "read_lines",
]
