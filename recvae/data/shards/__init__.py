"""Shards: users x items on the disk, in files that are read one at a time (out-of-core)."""

from recvae.data.shards.shards import CsrOrShards, Shards, has_shards, read_shards

__all__ = ["CsrOrShards", "Shards", "has_shards", "read_shards"]
