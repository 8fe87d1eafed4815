"""What is refused of a state."""

import pytest
import torch

from recvae.engine.states import MOST, count, of_shape, require_finite, require_like


@pytest.mark.parametrize("value", [0, 3, 7, 5.0, torch.tensor(4)])
def test_a_count_in_its_range(value):
    given = count(value, most=7)
    assert (given, type(given)) == (int(value), int)


def test_the_ends_of_a_range():
    assert [count(-1, least=-1), count(MOST), count(2, 2, 2)] == [-1, 2**53, 2]


@pytest.mark.parametrize(
    ("value", "limits"), [(-1, {}), (8, {"most": 7}), (-2, {"least": -1}), (2**53 + 1, {})]
)
def test_a_count_out_of_its_range(value, limits):
    with pytest.raises(ValueError, match=f"{value} is not from"):
        count(value, **limits)


def test_tensors_like_others():
    require_like([torch.ones(2, 3), torch.ones(())], [torch.zeros(2, 3), torch.zeros(())])
    for other in (torch.zeros(3, 2), torch.zeros(2, 3, dtype=torch.float64)):
        with pytest.raises(ValueError, match=r"a tensor is torch.float32 of shape \(2, 3\), not"):
            require_like([torch.ones(2, 3)], [other])
    with pytest.raises(ValueError, match="longer"):
        require_like([], [torch.zeros(1)])


def test_a_tensor_of_a_shape():
    tensor = torch.ones(2, 3)
    assert of_shape(tensor, 2, 3) is tensor
    with pytest.raises(ValueError, match=r"not torch.float32 of \(3,\)"):
        of_shape(tensor, 3)
    with pytest.raises(ValueError, match=r"torch.float64 of shape \(2, 3\)"):
        of_shape(tensor.double(), 2, 3)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_one_number_that_is_not_finite(number, place):
    numbers = torch.arange(5.0)
    require_finite({"good": numbers, "empty": torch.zeros(0), "whole": torch.arange(3)})
    numbers[place] = number
    with pytest.raises(ValueError, match="the tensor bad is not finite"):
        require_finite({"good": torch.ones(2), "bad": numbers})
