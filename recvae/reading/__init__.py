"""Reading: tables and arrays of raw ids become users x items."""

from recvae.reading.build import build_interactions
from recvae.reading.histories import UnknownItemWarning, read_histories
from recvae.reading.sources import read_columns
from recvae.reading.tables import read_interactions

__all__ = [
    "UnknownItemWarning",
    "build_interactions",
    "read_columns",
    "read_histories",
    "read_interactions",
]
