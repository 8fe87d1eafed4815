import numpy as np
import pytest
import torch
from torch import nn

from recvae.engine.weights import Average, BestWeights, copy


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


@pytest.mark.parametrize(
    "given", [[torch.zeros(2)], [torch.zeros(1, dtype=torch.float64)], [], [torch.zeros(1)] * 2]
)
def test_weights_of_something_else_are_not_copied(given):
    net = OneWeight()
    net.become(3)
    with pytest.raises(ValueError, match=r"a tensor is|zip"):
        copy(given, net.parameters())
    assert net.weight.item() == 3


def test_the_best_go_on_from_their_state():
    net, other = OneWeight(), OneWeight()
    best, again = BestWeights(net), BestWeights(other)
    net.become(7)
    best.offer(0.4, 2)
    again.load_state_dict(best.state_dict())
    again.offer(0.3, 3)
    again.restore()
    assert (again.value, again.epoch, other.weight.item()) == (0.4, 2, 7)


def test_the_best_go_on_from_a_state_without_weights():
    net, best = OneWeight(), BestWeights(OneWeight())
    best.load_state_dict(BestWeights(net).state_dict())
    assert (best.value, best.epoch) == (-np.inf, -1)


@pytest.mark.parametrize("change", [{"weights": [torch.zeros(2)]}, {"weights": []}, {"epoch": -2}])
def test_a_state_of_other_weights_is_refused(change):
    best = BestWeights(OneWeight())
    best.offer(0.1, 0)
    with pytest.raises(ValueError, match=r"a tensor is|zip|is not from"):
        best.load_state_dict(best.state_dict() | change)


def test_the_average_goes_on_from_its_state():
    net, other = OneWeight(), OneWeight()
    average, again = Average(net, 1.0), Average(other, 1.0)
    for value in (1, 2):
        net.become(value)
        average.update()
    again.load_state_dict(average.state_dict())
    other.become(6)
    again.update()
    again.swap()
    assert other.weight.item() == pytest.approx(averaged([1, 2, 6], power=1.0))
    with pytest.raises(ValueError, match="is not from"):
        again.load_state_dict(average.state_dict() | {"steps": -1})
