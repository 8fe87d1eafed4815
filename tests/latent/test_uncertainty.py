import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr

import recvae as rv
from recvae.errors import DataError, OptionError
from recvae.latent import entropy, judge_uncertainty, risk_coverage


@pytest.fixture(scope="module")
def holdout(matrix):
    return rv.split_users(rv.Interactions.from_matrix(matrix), 1, 60).test


@pytest.mark.parametrize("name", ["mult-vae", "rec-vae", "vamp-vae", "residual-vae", "ensemble"])
def test_the_entropy_is_that_of_the_gaussian(name, models, matrix):
    _, logvar = models[name].encode(matrix)
    expected = norm(scale=np.exp(0.5 * logvar)).entropy().sum(axis=1)
    np.testing.assert_allclose(entropy(models[name], matrix), expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["mult-dae", "elsa"])
def test_points_have_no_entropy(name, models, matrix):
    with pytest.raises(OptionError, match="are points"):
        entropy(models[name], matrix)


def test_risk_by_hand():
    curve = risk_coverage(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 0.5, 0.0]))
    assert curve["coverage"].tolist() == [0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose(curve["risk"], [0, 0.25, 0.5, 0.625])


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0, 1)), min_size=1))
def test_no_order_beats_the_best_and_all_end_alike(users):
    uncertainty, quality = np.array(users).T
    risk, best = (risk_coverage(by, quality)["risk"] for by in (uncertainty, -quality))
    assert (best <= risk + 1e-9).all()
    assert risk.iloc[-1] == pytest.approx(1 - quality.mean())


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_numbers_that_do_not_belong_together(shapes):
    with pytest.raises(DataError, match="for each user"):
        risk_coverage(*map(np.zeros, shapes))


def test_the_entropy_is_held_against_length_and_quality(vae, holdout):
    result = judge_uncertainty(vae, holdout, "ndcg@5")
    expected = rv.evaluate(vae, holdout, "ndcg@5").per_user["ndcg@5"]
    assert result.per_user["ndcg@5"].equals(expected)
    lengths = np.diff(holdout.fold_in.indptr)
    found = result.correlation.loc["entropy", "length"]
    assert found == pytest.approx(spearmanr(entropy(vae, holdout.fold_in), lengths).statistic)
    longest = expected.to_numpy()[np.argsort(-lengths, kind="stable")]
    assert result.curve["length"].iloc[9] == pytest.approx(1 - longest[:10].mean())
    assert result.curve.index[9] == pytest.approx(10 / len(expected))
    assert (result.curve["best"] <= result.curve["entropy"] + 1e-9).all()


def test_longer_histories_leave_less_entropy(vae, matrix):
    """Of the same users, of whom only two items are known, or all."""
    rows = np.repeat(np.arange(matrix.shape[0]), 2)
    columns = np.concatenate([row.indices[:2] for row in matrix])
    short = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=matrix.shape)
    assert entropy(vae, matrix).mean() < entropy(vae, short).mean()


def test_users_with_nothing_held_out_are_left_out(vae, holdout):
    held_out = sp.vstack([holdout.held_out[:-2], sp.csr_matrix((2, holdout.held_out.shape[1]))])
    fewer = rv.Holdout(holdout.fold_in, held_out)
    result = judge_uncertainty(vae, fewer, "ndcg@5")
    np.testing.assert_array_equal(result.per_user["entropy"], entropy(vae, holdout.fold_in[:-2]))


def test_a_metric_without_users(vae, holdout):
    with pytest.raises(OptionError, match="no value for each user"):
        judge_uncertainty(vae, holdout, "coverage@5")
