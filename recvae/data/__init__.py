"""Data: interactions, where they are read from, and how they are split."""
