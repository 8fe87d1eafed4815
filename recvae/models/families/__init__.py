"""Families: base classes and functions that several models share."""
