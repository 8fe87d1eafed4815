import numpy as np
import pytest
import torch

from recvae.errors import DataError, OptionError
from recvae.latent import interpolate

NETS = ["mult-vae", "mult-dae", "rec-vae", "vamp-vae", "residual-vae", "elsa", "ensemble"]


@pytest.mark.parametrize("name", NETS)
def test_the_ends_are_the_two_tastes(name, models, matrix):
    model, one, other = models[name], matrix[0], matrix[1]
    ids, scores = interpolate(model, one, other, k=5)
    assert ids.shape == scores.shape == (5, 5)
    for history, others, end in ((one, other, 0), (other, one, -1)):
        expected, values = model.recommend(history, 5, deny=others.indices)
        np.testing.assert_array_equal(ids[end], expected[0])
        np.testing.assert_allclose(scores[end], values[0], rtol=1e-4, atol=1e-4)


def test_cold_items_are_on_the_way(cold):
    histories, model = cold
    one, other = histories[0], histories[1]
    _, scores = interpolate(model, one, other, k=5)
    for history, others, end in ((one, other, 0), (other, one, -1)):
        _, expected = model.recommend(history, 5, deny=others.indices)
        np.testing.assert_allclose(scores[end], expected[0], rtol=1e-4, atol=1e-4)


def test_the_way_is_a_straight_line_of_codes(vae, matrix):
    codes, _ = vae.encode(matrix[:2])
    middle = vae.decode((0.75 * codes[:1] + 0.25 * codes[1:]).astype(np.float32))[0]
    ids, scores = interpolate(vae, matrix[0], matrix[1], k=6, weights=(0.25,))
    torch.testing.assert_close(torch.from_numpy(scores[0]), middle[ids[0]])
    seen = np.union1d(matrix[0].indices, matrix[1].indices)
    unseen = np.setdiff1d(np.arange(len(middle)), seen)
    np.testing.assert_array_equal(ids[0], unseen[np.argsort(-middle.numpy()[unseen])[:6]])


@pytest.mark.parametrize("weights", [(-0.1,), (0.5, 1.1), (float("nan"),)])
def test_weights_out_of_range(weights, vae, matrix):
    with pytest.raises(OptionError, match="from 0 to 1"):
        interpolate(vae, matrix[0], matrix[1], weights=weights)


def test_one_history_on_each_side(vae, matrix):
    with pytest.raises(DataError, match="one history on each side"):
        interpolate(vae, matrix[:2], matrix[3])


def test_models_without_codes(models, matrix):
    with pytest.raises(OptionError, match="EASE has no latent space"):
        interpolate(models["ease"], matrix[0], matrix[1])
