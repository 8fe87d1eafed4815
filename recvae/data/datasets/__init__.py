"""Data sets: the MovieLens releases and a generated sample by name, the Netflix Prize by folder."""

from recvae.data.datasets.loading import DATASETS, load_dataset, load_tables
from recvae.data.datasets.netflix import read_netflix
from recvae.data.datasets.releases import RELEASES, Release
from recvae.data.datasets.tables import Tables

__all__ = [
    "DATASETS",
    "RELEASES",
    "Release",
    "Tables",
    "load_dataset",
    "load_tables",
    "read_netflix",
]
