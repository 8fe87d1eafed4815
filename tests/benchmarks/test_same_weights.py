"""The proof that a refactoring changes no number: it tells models apart, and is the same twice."""

import sys

import numpy as np
import pytest

from benchmarks.quality import same_weights
from recvae import options


@pytest.fixture
def lines(monkeypatch, capsys):
    """What is printed of some models."""

    def lines(*names):
        monkeypatch.setattr(sys, "argv", ["same_weights", *names])
        same_weights.main()
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.slow
def test_a_line_for_each_model_the_same_each_time(lines):
    found = lines("popularity", "item-knn", "item-knn bm25")
    assert [line[:26].strip() for line in found] == ["popularity", "item-knn", "item-knn bm25"]
    assert len({line[26:] for line in found}) == 3
    assert lines("popularity", "item-knn", "item-knn bm25") == found


def test_any_bit_of_any_array_counts_but_not_the_order():
    one, other = np.arange(6.0), np.ones(3)
    known = same_weights.digest([one, other])
    assert same_weights.digest([other, one]) == known
    changed = one.copy()
    changed[2] = np.nextafter(2, 3)
    for arrays in ([changed, other], [one], [one.reshape(2, 3), other], [one.astype("f4"), other]):
        assert same_weights.digest(arrays) != known


def test_a_model_that_is_not_there(lines):
    with pytest.raises(SystemExit):
        lines("mult-vea")


@pytest.mark.parametrize("name", same_weights.NAMES)
def test_every_model_it_knows_can_be_built(name):
    if name != "sparse codes":
        options.check(same_weights.build(name))
