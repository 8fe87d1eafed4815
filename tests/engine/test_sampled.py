"""The likelihood over a part of the catalogue."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn.functional import linear

from recvae.engine import sampled, tiled
from recvae.engine.batch import Batch
from recvae.engine.objectives import multinomial_log_likelihood

USERS, ITEMS, WIDTH = 5, 40, 8


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def problem():
    rows = sp.random(USERS, ITEMS, 0.1, format="csr", random_state=0, dtype=np.float32)
    shapes = (USERS, WIDTH), (ITEMS, WIDTH), (ITEMS,)
    noise = generator(1)
    parts = [torch.randn(shape, generator=noise).requires_grad_() for shape in shapes]
    return parts, Batch.of(rows, torch.device("cpu"))


def likelihood(parts, targets, n_sampled, seed=0):
    hidden, *layer = parts
    chosen = sampled.choose(*layer, targets, n_sampled, generator(seed))
    return tiled.multinomial_log_likelihood(hidden, *chosen)


def test_a_sample_of_everything_is_exact():
    parts, targets = problem()
    expected = multinomial_log_likelihood(linear(*parts), targets)
    values = likelihood(parts, targets, ITEMS)
    torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-5)
    for own, other in zip(
        torch.autograd.grad(values.sum(), parts),
        torch.autograd.grad(expected.sum(), parts),
        strict=True,
    ):
        torch.testing.assert_close(own.to_dense(), other, rtol=1e-4, atol=1e-5)


def test_the_normalizer_is_right_on_average():
    parts, targets = problem()
    logits = linear(*parts).detach().double()
    observed = torch.stack(
        [row @ scores for row, scores in zip(dense(targets), logits, strict=True)]
    )
    sizes = dense(targets).sum(dim=1)
    values = torch.stack([likelihood(parts, targets, 8, seed).detach() for seed in range(1000)])
    sums = ((observed - values.double()) / sizes).exp()
    expected = logits.exp().sum(dim=1)
    tolerance = 5 * sums.std(dim=0) / len(sums) ** 0.5
    assert ((sums.mean(dim=0) - expected).abs() < tolerance).all()
    assert (sums.std(dim=0) > 0.01 * expected).all()


def dense(batch):
    rows = torch.zeros(len(batch), batch.n_items, dtype=torch.float64)
    rows[batch.rows, batch.columns] = batch.values.double()
    return rows


def test_others_are_even_and_never_present():
    present = torch.tensor([0, 3, 4, 9])
    counts = np.zeros(10)
    for seed in range(4000):
        drawn = sampled.sample_others(present, 10, 2, generator(seed)).numpy()
        assert len(set(drawn)) == len(drawn) <= 2
        counts[drawn] += 1
    assert not counts[present].any()
    others = np.delete(counts, present)
    assert others.min() > 0.9 * others.max()


def test_others_are_from_everywhere_in_a_large_catalogue():
    drawn = sampled.sample_others(torch.arange(0, 30_000, 3), 30_000, 3000, generator()).double()
    assert drawn.mean().item() == pytest.approx(15_000, rel=0.03)
    assert drawn.std().item() == pytest.approx(30_000 / 12**0.5, rel=0.03)


@pytest.mark.parametrize("n_sampled", [6, 100])
def test_all_others_if_there_are_no_more(n_sampled):
    drawn = sampled.sample_others(torch.tensor([0, 3, 4, 9]), 10, n_sampled, generator())
    assert drawn.tolist() == [1, 2, 5, 6, 7, 8]


def test_no_others_if_all_are_present():
    assert not len(sampled.sample_others(torch.arange(5), 5, 3, generator()))


def test_as_many_numbers_are_drawn_whatever_is_present():
    """Or processes that share the items would draw other noise from then on."""
    few, many = generator(), generator()
    sampled.sample_others(torch.arange(8), 10, 5, few)
    sampled.sample_others(torch.arange(2), 10, 5, many)
    assert torch.equal(few.get_state(), many.get_state())


def test_a_batch_that_has_all_items_has_no_others():
    (_, weight, bias), _ = problem()
    everything = Batch.of(sp.csr_matrix(np.eye(ITEMS, dtype=np.float32)), torch.device("cpu"))
    weights, offsets, chosen = sampled.choose(weight, bias, everything, 7, generator())
    assert torch.equal(weights, weight)
    assert torch.equal(offsets, bias)
    assert torch.equal(chosen.columns, everything.columns)


def test_an_other_stands_for_as_many_as_there_are_to_one_sampled():
    (_, weight, bias), targets = problem()
    _, offsets, chosen = sampled.choose(weight, bias, targets, 5, generator())
    items = sorted({*targets.columns.tolist(), *sample(targets, 5)})
    n_present, n_others = len(targets.columns.unique()), ITEMS - len(targets.columns.unique())
    more = (offsets - bias[items]).detach()
    of_others = torch.tensor([item not in targets.columns for item in items])
    assert (more[~of_others] == 0).all()
    expected = np.log(n_others / (len(items) - n_present))
    np.testing.assert_allclose(more[of_others], expected, rtol=1e-5)
    assert [items[column] for column in chosen.columns] == targets.columns.tolist()


def sample(targets, n_sampled):
    present = targets.columns.unique()
    return sampled.sample_others(present, ITEMS, n_sampled, generator()).tolist()
