"""Data sets by name: MovieLens and others that are published, and a generated sample."""
