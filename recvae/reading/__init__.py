"""Reading: tables and arrays of raw ids become users x items."""

from recvae.reading.build import build_interactions

__all__ = ["build_interactions"]
