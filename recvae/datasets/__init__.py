"""Data sets: the MovieLens releases and a generated sample by name, the Netflix Prize by folder."""

from recvae.datasets.loading import DATASETS, load_dataset, load_tables
from recvae.datasets.netflix import read_netflix
from recvae.datasets.releases import RELEASES, Release
from recvae.datasets.tables import Tables

__all__ = [
    "DATASETS",
    "RELEASES",
    "Release",
    "Tables",
    "load_dataset",
    "load_tables",
    "read_netflix",
]
