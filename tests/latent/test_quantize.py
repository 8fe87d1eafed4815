import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recvae.errors import DataError
from recvae.latent import quantize

NUMBERS = st.floats(-1e6, 1e6, width=32)


@given(arrays(np.float32, st.tuples(st.integers(0, 9), st.integers(1, 4)), elements=NUMBERS))
def test_no_number_is_off_by_more_than_half_its_scale(codes):
    quantized = quantize(codes)
    off = np.abs(quantized.restore() - codes.astype(np.float64))
    assert (off <= 0.501 * quantized.scales + 1e-37).all()
    assert quantized.values.dtype == np.int8
    assert quantized.n_bytes == codes.size + 4 * codes.shape[1]


def test_levels_by_hand():
    quantized = quantize(np.array([[127, 0.0], [-63.4, 0.0], [0.6, 0.0]]))
    assert quantized.values.tolist() == [[127, 0], [-63, 0], [1, 0]]
    assert quantized.scales.tolist() == [1, 0]
    assert quantized.restore().dtype == np.float32


def test_lists_from_bytes_are_hardly_others(vae, matrix):
    codes, _ = vae.encode(matrix)
    whole, bytes_ = (vae.decode(some).numpy() for some in (codes, quantize(codes).restore()))
    same = whole.argmax(axis=1) == bytes_.argmax(axis=1)
    assert same.mean() > 0.9


@pytest.mark.parametrize("codes", [np.ones(3), np.array([[1.0, np.nan]])])
def test_what_are_no_codes(codes):
    with pytest.raises(DataError, match="give finite numbers"):
        quantize(codes)
