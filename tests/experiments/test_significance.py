"""Significance against scipy, by hand, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recvae.experiments.significance import (
    bootstrap_interval,
    differences_to_best,
    holm,
    paired_t_test,
)


def generator() -> np.random.Generator:
    return np.random.default_rng(11)


def test_the_test_equals_scipy():
    a, b = generator().random((2, 200))
    ours = paired_t_test(pd.DataFrame({"x": a - b}))["x"]
    assert ours == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_the_test_agrees_with_a_permutation_test_on_values_full_of_zeros():
    differences = np.where(generator().random(400) < 0.6, 0, generator().normal(0.05, 0.3, 400))
    signs = generator().choice([-1, 1], size=(5000, 400))
    flipped = np.abs((signs * differences).mean(axis=1))
    permutation = (flipped >= abs(differences.mean())).mean()
    ours = paired_t_test(pd.DataFrame({"x": differences}))["x"]
    assert ours == pytest.approx(permutation, abs=0.02)


def test_equal_models_and_single_users_prove_nothing():
    assert paired_t_test(pd.DataFrame({"x": [0.0, 0.0]}))["x"] == 1
    assert paired_t_test(pd.DataFrame({"x": [0.3]}))["x"] == 1


def test_the_same_difference_for_every_user_is_significant():
    assert paired_t_test(pd.DataFrame({"x": [0.25] * 5}))["x"] == 0


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1, 1])
    assert holm(np.array([])).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_between_p_and_bonferroni(p_values):
    p = np.array(p_values)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(p * len(p), 1)).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_the_interval_is_the_normal_one_where_that_holds():
    differences = pd.DataFrame({"x": generator().normal(0.1, 1, 3000)})
    low, high = bootstrap_interval(differences, generator())
    half = 1.96 * differences["x"].sem()
    assert low[0] == pytest.approx(differences["x"].mean() - half, abs=0.1 * half)
    assert high[0] == pytest.approx(differences["x"].mean() + half, abs=0.1 * half)


def test_the_interval_depends_on_the_seed_only(monkeypatch):
    differences = pd.DataFrame(generator().random((50, 2)))
    whole = bootstrap_interval(differences, np.random.default_rng(4))
    again = bootstrap_interval(differences, np.random.default_rng(4))
    np.testing.assert_array_equal(whole, again)
    monkeypatch.setattr("recvae.experiments.significance.BATCH_CELLS", 1)
    np.testing.assert_allclose(bootstrap_interval(differences, np.random.default_rng(4)), whole)


def test_one_user_gives_no_interval():
    low, high = bootstrap_interval(pd.DataFrame({"x": [0.1]}), generator())
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_every_model_against_the_best_of_each_metric():
    base, noise = generator().random((100, 2)), np.random.default_rng(2).normal(0, 0.3, (100, 2))
    values = {
        "a": pd.DataFrame(base, columns=["r", "n"]),
        "b": pd.DataFrame(base + np.array([0.1, -0.1]), columns=["r", "n"]),
        "c": pd.DataFrame(base + noise - noise.mean(axis=0) - 0.02, columns=["r", "n"]),
    }
    table = differences_to_best(values, generator())
    assert table["best"].to_dict() == {
        ("r", "a"): "b",
        ("r", "c"): "b",
        ("n", "b"): "a",
        ("n", "c"): "a",
    }
    assert table.loc[("r", "a"), "difference"] == pytest.approx(-0.1)
    assert table.loc[("r", "a"), "p"] < 1e-6
    assert table.loc[("n", "c"), "p"] > 0.05
    assert (table["low"] <= table["difference"] + 1e-9).all()
    assert (table["difference"] <= table["high"] + 1e-9).all()


@pytest.mark.slow
def test_the_best_of_many_equal_models_is_no_discovery(monkeypatch):
    monkeypatch.setattr("recvae.experiments.significance.RESAMPLES", 2)
    drawn = generator()
    alarms = [
        (differences_to_best(equal, drawn)["p"] < 0.05).any()
        for equal in (
            {name: pd.DataFrame({"r": drawn.normal(size=200)}) for name in "abcdefgh"}
            for _ in range(200)
        )
    ]
    assert np.mean(alarms) < 0.08  # corrected for the comparisons with the best alone: 0.13


def test_a_single_model_has_no_differences():
    table = differences_to_best({"a": pd.DataFrame({"r": [0.1, 0.2]})}, generator())
    assert table.empty
    assert list(table.index.names) == ["metric", "model"]
