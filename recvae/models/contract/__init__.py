"""Contract: what every recommender is and can be asked."""
