"""Shards: users x items on the disk, in pieces that are read one at a time."""

from recvae.shards.shards import Shards, are_in, read_shards

__all__ = ["Shards", "are_in", "read_shards"]
