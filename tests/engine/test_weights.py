import numpy as np
import pytest
import torch
from torch import nn

from recvae.engine.weights import Average, BestWeights


class OneWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def become(self, value):
        self.weight.data = torch.tensor([float(value)])


def test_the_best_come_back():
    net = OneWeight()
    best = BestWeights(net)
    for epoch, value in enumerate([0.1, 0.5, 0.3]):
        net.become(epoch)
        best.offer(value, epoch)
    best.restore()
    assert (net.weight.item(), best.value, best.epoch) == (1.0, 0.5, 1)


def test_nothing_was_offered():
    net = OneWeight()
    net.become(3)
    BestWeights(net).restore()
    assert net.weight.item() == 3


def averaged(values, power):
    net = OneWeight()
    average = Average(net, power)
    for value in values:
        net.become(value)
        average.update()
    average.swap()
    return net.weight.item()


def test_power_0_is_the_plain_mean():
    assert averaged([1, 2, 6], power=0.0) == pytest.approx(3.0)


@pytest.mark.parametrize("power", [1.0, 5.0])
def test_later_steps_count_more(power):
    """Step t's share is (t + power - 1)! / (t - 1)! for whole powers, so about t ** power."""
    values = np.random.default_rng(0).normal(size=50)
    steps = np.arange(1, 51)
    shares = np.prod([steps + shift for shift in range(int(power))], axis=0).astype(float)
    expected = (shares * values).sum() / shares.sum()
    assert averaged(values, power) == pytest.approx(expected, abs=1e-5)


def test_the_average_is_in_place_for_a_while_only():
    net = OneWeight()
    average = Average(net, 0.0)
    for value in (1, 3):
        net.become(value)
        average.update()
    with average.in_place():
        assert net.weight.item() == pytest.approx(2.0)
    assert net.weight.item() == 3.0
    with pytest.raises(ZeroDivisionError), average.in_place():
        1 / 0  # noqa: B018
    assert net.weight.item() == 3.0
