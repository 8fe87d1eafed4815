"""Ranking: turns scores into lists of the best items, a block of users at a time."""
