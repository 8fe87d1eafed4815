import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch
from recvae.models.families.pooling import log_proportions, sparse_log_proportions

SEEN = Batch.of(sp.csr_matrix([[1, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32), torch.device("cpu"))


def test_shares_of_the_unseen_items_mixed_with_the_uniform():
    shares = log_proportions(
        torch.tensor([[9.0, 3.0, 1.0, -2.0], [1.0, 1.0, 0.0, 2.0]]), SEEN
    ).exp()
    uniform = 1 / 4
    expected = [[1.0, 3 / 4, 1 / 4, 0.0], [1 / 4, 1 / 4, 0.0, 2 / 4]]
    torch.testing.assert_close(shares, torch.tensor(expected) + uniform)


def test_the_unit_of_the_scores_does_not_matter():
    scores = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_proportions(scores, SEEN), log_proportions(1000 * scores, SEEN))


def test_nothing_positive_is_the_uniform():
    shares = log_proportions(torch.tensor([[5.0, -1.0, 0.0, -3.0], [0.0, 0.0, 0.0, 0.0]]), SEEN)
    assert shares.isfinite().all()
    assert shares[1].exp().tolist() == pytest.approx([1 / 4] * 4)
    assert shares[0, 1:].exp().tolist() == pytest.approx([1 / 4] * 3)


def test_the_scores_are_left_as_they_are():
    scores = torch.tensor([[1.0, -1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    before = scores.clone()
    log_proportions(scores, SEEN)
    torch.testing.assert_close(scores, before)


def test_sparse_scores_say_what_dense_ones_do():
    scores = sp.random(20, 30, 0.3, "csr", np.float32, random_state=0)
    scores.data -= 0.3
    history = sp.random(20, 30, 0.2, "csr", np.float32, random_state=1)
    dense = log_proportions(
        torch.from_numpy(scores.toarray()), Batch.of(history, torch.device("cpu"))
    )
    above = torch.from_numpy(sparse_log_proportions(scores, history).toarray())
    torch.testing.assert_close(above - np.log(30), dense)
