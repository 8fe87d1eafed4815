"""Evaluation on MovieLens-1M, against a number measured outside of this package."""

import pytest

import recvae as rv


def test_popularity_on_ml_1m(real_data):
    data = rv.load_dataset("ml-1m", min_rating=4, min_user_items=5, data_dir=real_data)
    split = rv.split_users(data, n_validation=1000, n_test=1000, seed=98765)
    report = rv.evaluate(rv.Popularity().fit(split.train), split.test)
    assert report.n_users + report.n_skipped == 1000
    assert report.mean["ndcg@100"] == pytest.approx(0.2171, abs=5e-5)
