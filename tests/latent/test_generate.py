import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

import recvae as rv
from recvae.errors import DataError, OptionError
from recvae.latent import generate
from recvae.latent.draw import draw_histories
from recvae.ranking import blocks

SOURCES = ["mixture", "posterior", "prior"]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_everyone_gets_as_many_different_items_as_asked_for(lengths):
    lengths = np.array(lengths)
    drawn = draw_histories(
        lambda block: torch.zeros(len(lengths[block]), 6), lengths, 6, np.random.default_rng(0)
    )
    assert drawn.has_canonical_format
    np.testing.assert_array_equal(np.diff(drawn.indptr), lengths)


def test_items_are_drawn_in_proportion_to_the_weights_of_those_left():
    """Two of three items of weights 1, 2, 5: P(i, then j) = w_i / 8 * w_j / (8 - w_i)."""
    weights, n = np.array([1.0, 2.0, 5.0]), 60_000
    logs = torch.from_numpy(np.log(weights)).float()
    drawn = draw_histories(
        lambda block: logs.expand(n, 3)[block], np.full(n, 2), 3, np.random.default_rng(0)
    )
    pair = {
        (i, j): weights[i] / 8 * weights[j] / (8 - weights[i]) for i in range(3) for j in range(3)
    }
    expected = [sum(pair[i, j] + pair[j, i] for j in range(3) if j != i) for i in range(3)]
    np.testing.assert_allclose(drawn.mean(axis=0).A1, expected, atol=0.01)


def test_draws_do_not_depend_on_the_blocks(vae, matrix, monkeypatch):
    whole = generate(vae, matrix, 20, n_components=2)
    monkeypatch.setattr(blocks, "CELLS", 7 * matrix.shape[1])
    assert (generate(vae, matrix, 20, n_components=2) != whole).nnz == 0


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["mult-vae", "mult-dae", "rec-vae", "vamp-vae"])
def test_synthetic_users_are_binary_rows(name, source, models, matrix):
    drawn = generate(models[name], matrix, 30, source, n_components=2, seed=1)
    assert drawn.shape == (30, matrix.shape[1])
    assert drawn.dtype == np.float32
    assert (drawn.data == 1).all()
    assert set(np.diff(drawn.indptr)) <= set(np.diff(matrix.indptr))


@pytest.mark.parametrize("source", SOURCES)
def test_the_seed_decides(source, vae, matrix):
    one, same, other = (
        generate(vae, matrix, 25, source, n_components=2, seed=seed) for seed in (0, 0, 1)
    )
    assert (one != same).nnz == 0
    assert (one != other).nnz > 0


def codes(vae, matrix, source, monkeypatch, n=4000):
    """The codes that `generate` decodes."""
    seen = []
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda codes: seen.append(codes) or decode(codes))
    generate(vae, matrix, n, source, n_components=3)
    return np.concatenate(seen)


def test_the_prior_is_standard_normal(vae, matrix, monkeypatch):
    assert kstest(codes(vae, matrix, "prior", monkeypatch).ravel(), "norm").pvalue > 0.01


@pytest.mark.parametrize("source", ["posterior", "mixture"])
def test_codes_have_the_moments_of_the_aggregate_posterior(source, vae, matrix, monkeypatch):
    """Of the posterior of a random user: E[m], and Var[m] + E[v] (the law of total variance)."""
    mean, logvar = vae.encode(matrix)
    drawn = codes(vae, matrix, source, monkeypatch)
    spread = np.sqrt(mean.var(axis=0) + np.exp(logvar).mean(axis=0))
    loose = 0.1 if source == "posterior" else 0.3  # fitted to a draw for each of few users
    np.testing.assert_allclose(drawn.mean(axis=0), mean.mean(axis=0), atol=loose * spread.max())
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=loose)


def test_a_code_of_one_taste_gets_items_of_that_taste(vae, matrix):
    """All posterior draws are of the users of taste 0, whose items are 0, 3, 6, ..."""
    tastes = np.stack([matrix[:, start::3].sum(axis=1).A1 for start in range(3)])
    drawn = generate(vae, matrix[tastes.argmax(axis=0) == 0], 500, "posterior")
    counts = np.bincount(drawn.indices, minlength=matrix.shape[1])
    assert counts[::3].sum() > 2 * counts[1::3].sum()
    assert counts[::3].sum() > 2 * counts[2::3].sum()


@pytest.mark.parametrize("source", ["posterior", "mixture"])
def test_lengths_go_with_tastes(source, vae, matrix):
    """Those who like taste 0 have 8 items, those who like taste 1 two."""
    columns = [np.arange(0, 24, 3), [1, 4]]
    rows = np.repeat(np.arange(100), np.tile([8, 2], 50))
    known = sp.csr_matrix((np.ones(500), (rows, np.tile(np.concatenate(columns), 50))), (100, 24))
    drawn = generate(vae, known, 400, source, n_components=2)
    alike = drawn[:, ::3].sum(axis=1).A1 > drawn[:, 1::3].sum(axis=1).A1
    lengths = np.diff(drawn.indptr)
    assert set(lengths) == {2, 8}
    assert (lengths == 8).mean() == pytest.approx(0.5, abs=0.1)
    assert alike[lengths == 8].mean() > 0.9
    assert alike[lengths == 2].mean() < 0.4


def test_the_coldest_draws_are_the_likeliest_items(models, matrix):
    model, history = models["mult-dae"], matrix[5]
    drawn = generate(model, history, 3, "posterior", temperature=1e-4)
    likeliest = model.score(history).topk(history.nnz).indices[0].sort().values
    np.testing.assert_array_equal(drawn.indices.reshape(3, -1), np.tile(likeliest, (3, 1)))


@pytest.mark.parametrize("name", ["residual-vae", "elsa", "ensemble", "ease"])
def test_models_whose_codes_do_not_decide(name, models, matrix):
    with pytest.raises(OptionError, match="code alone"):
        generate(models[name], matrix, 3)


def test_a_gaussian_likelihood_gives_no_distribution_over_items(matrix):
    with pytest.raises(OptionError, match="code alone"):
        generate(rv.MultVAE(likelihood="gaussian"), matrix, 3)


def test_mistakes(vae, matrix):
    with pytest.raises(OptionError, match="did you mean 'mixture'"):
        generate(vae, matrix, 3, "mixtures")
    for wrong in ({"n_users": 0}, {"n_users": 5, "n_components": 0}):
        with pytest.raises(OptionError, match="1 or more"):
            generate(vae, matrix, **wrong)
    with pytest.raises(OptionError, match="temperature=0 must be above 0"):
        generate(vae, matrix, 3, temperature=0)
    with pytest.raises(DataError, match="10 histories or more are needed, and 4"):
        generate(vae, matrix[:4], 3)
    with pytest.raises(DataError, match="0 are not empty"):
        generate(vae, sp.csr_matrix((3, matrix.shape[1])), 3, "prior")
