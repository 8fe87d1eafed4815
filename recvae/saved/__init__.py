"""Saved: a fitted model as a folder, and what it says of itself."""
