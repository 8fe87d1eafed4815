"""Ranking: from scores to lists."""
