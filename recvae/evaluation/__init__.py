"""Evaluation: how many held-out items a model ranks high. It knows no models, only `recommend`."""
