"""Data: interactions (implicit feedback), the readers that make them, and how they are split."""
