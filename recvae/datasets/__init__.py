"""Named data sets: the MovieLens releases, and a generated sample of their shape."""

from recvae.datasets.loading import DATASETS, load_dataset, load_tables
from recvae.datasets.releases import RELEASES, Release
from recvae.datasets.tables import Tables

__all__ = ["DATASETS", "RELEASES", "Release", "Tables", "load_dataset", "load_tables"]
