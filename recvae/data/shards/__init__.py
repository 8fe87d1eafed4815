"""Shards: users x items on the disk, in pieces that are read one at a time."""

from recvae.data.shards.shards import CsrOrShards, Shards, has_shards, read_shards

__all__ = ["CsrOrShards", "Shards", "has_shards", "read_shards"]
