import numpy as np
import pytest
import scipy.sparse as sp

from recvae.errors import OptionError
from recvae.latent import add_noise, denoise, impute, surprisal


@pytest.mark.parametrize("name", ["mult-vae", "mult-dae", "residual-vae", "ensemble"])
def test_surprise_by_hand(name, models, matrix):
    found = surprisal(models[name], 3 * matrix)
    scores = models[name].score(matrix[4]).numpy()[0].astype(np.float64)
    expected = np.log(np.exp(scores).sum()) - scores[matrix[4].indices]
    np.testing.assert_array_equal(found[4].indices, matrix[4].indices)
    np.testing.assert_allclose(found[4].data, expected, rtol=1e-4)


def test_foreign_items_surprise_more(vae, matrix):
    """Users like one of three tastes; what is mixed in is of any."""
    polluted = add_noise(matrix, 0.2)
    nats, foreign = surprisal(vae, polluted), polluted - matrix
    own = nats.sum() - nats.multiply(foreign).sum()
    assert nats.multiply(foreign).sum() / foreign.sum() > own / matrix.nnz + 0.5


def test_the_least_likely_are_left_out(vae, matrix):
    histories = 2 * matrix
    left, nats = denoise(vae, histories, 0.3), surprisal(vae, histories)
    for kept, row, whole in zip(left, nats, histories, strict=True):
        n = row.nnz - int(0.3 * row.nnz)
        likely = row.indices[np.argsort(row.data)[:n]]
        assert sorted(kept.indices) == sorted(likely)
        assert (kept.multiply(whole > 0) != kept).nnz == 0
    assert set(left.data) == {2}


def test_nothing_is_left_out_of_short_histories_and_of_none(vae, matrix):
    assert (denoise(vae, matrix, 0.0) != matrix).nnz == 0
    assert denoise(vae, sp.csr_matrix((2, matrix.shape[1]))).nnz == 0
    assert denoise(vae, matrix[:0]).shape[0] == 0


@pytest.mark.parametrize("name", ["mult-vae", "ease"])
def test_the_first_of_the_list_are_added(name, models, matrix):
    model = models[name]
    filled = impute(model, 2 * matrix, 3)
    ids, _ = model.recommend(2 * matrix, 3)
    for row, before, added in zip(filled, matrix, ids, strict=True):
        assert sorted(row.indices) == sorted([*before.indices, *added])
    assert set(filled.data) == {1}


def test_as_many_are_added_as_there_are(vae, matrix):
    assert impute(vae, matrix, matrix.shape[1]).nnz == np.prod(matrix.shape)


def test_mistakes(models, vae, matrix):
    with pytest.raises(OptionError, match="below 1"):
        denoise(vae, matrix, 1.0)
    with pytest.raises(OptionError, match="no log-probabilities"):
        denoise(models["ease"], matrix)
