"""Experiments: tunes models, compares them on the same users, and reports the results."""
