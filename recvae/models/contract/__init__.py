"""Contract: the base class of every recommender, and what it needs to fit, list and save."""
