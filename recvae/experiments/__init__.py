"""Experiments: models tuned, compared and reported; above the models."""
