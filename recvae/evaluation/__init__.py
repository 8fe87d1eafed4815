"""Evaluation: what a model ranks high, held against what was held out; below the models."""
