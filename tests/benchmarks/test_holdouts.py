"""The two ways to hold out training pairs."""

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.quality import holdouts
from recvae.models import Ensemble, GraphAE


@pytest.fixture
def histories():
    """Two groups of items; the last user has three items of one and seven of the other."""
    groups = np.kron(np.eye(2), np.ones((20, 10)))
    both = np.r_[np.ones(3), np.zeros(7), np.ones(7), np.zeros(3)]
    return sp.csr_matrix(np.vstack([groups, both]), dtype=np.float32)


def test_one_random_pair_of_each_user(histories):
    drawn = [holdouts.of_pairs(histories, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    counts = sp.csr_matrix((drawn[0], histories.indices, histories.indptr), histories.shape)
    assert (counts.sum(axis=1) == 1).all()
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_taste_is_a_fifth_that_is_alike(histories, seed):
    hidden = holdouts.of_tastes(histories, np.random.default_rng(seed))
    assert np.add.reduceat(hidden, histories.indptr[:-1], dtype=int).tolist() == [2] * 41
    columns = histories.indices[histories.indptr[-2] :][hidden[histories.indptr[-2] :]]
    assert len(set(columns // 10)) == 1  # both of one group


def test_models_are_read_as_they_are_typed():
    model = holdouts.read_model("graph-ae rank=64 level=0.5")
    assert isinstance(model, GraphAE)
    assert (model.rank, model.level) == (64, 0.5)
    pooled = holdouts.read_model("sparse-edlae + mult-dae latent=8")
    assert isinstance(pooled, Ensemble)
    assert [member.name for member in pooled.members] == ["sparse-edlae", "mult-dae"]


def test_the_command(tmp_path, capsys, monkeypatch, histories):
    lines = [f"{user} {' '.join(map(str, row.indices))}" for user, row in enumerate(histories)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    (tmp_path / "test.txt").write_text("0 15\n")
    monkeypatch.setattr("sys.argv", ["", str(tmp_path), "popularity", "ease", "--way", "taste"])
    holdouts.main()
    printed = capsys.readouterr().out
    assert "82 pairs held out" in printed
    first, second = (line for line in printed.splitlines() if "ndcg@20" in line)
    assert first.endswith("(+0.0000 ± 0.0000)")
    assert "(+0.5" in second
