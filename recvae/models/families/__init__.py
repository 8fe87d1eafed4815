"""Families: what several models have in common."""
