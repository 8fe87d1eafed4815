"""Search spaces: what they hold, what they can be made to hold, and where they are written down."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recvae import options
from recvae.models import MODELS
from recvae.options.spaces import Categorical, Float, Int

ROOT = Path(__file__).parents[2]

numbers = st.floats(1e-3, 1e3)
kinds = st.builds(
    lambda cls, ends, log: cls(*sorted(ends), log=log),
    st.just(Float),
    st.tuples(numbers, numbers),
    st.booleans(),
) | st.builds(
    lambda ends, log: Int(*sorted(ends), log=log),
    st.tuples(st.integers(1, 99), st.integers(1, 99)),
    st.booleans(),
)


@given(kinds, st.integers(1, 200))
def test_a_range_is_widened_as_far_as_needed(kind, value):
    wide = kind.including(value)
    assert value in wide
    assert kind.low in wide
    assert kind.high in wide
    assert {wide.low, wide.high} <= {kind.low, kind.high, value}
    assert (wide == kind) == (value in kind)


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (Categorical(((), (600,))), [(), (600,)], [(200,), 600]),
        (Float(0.1, 2), [0.1, 1, 2.0], [0.09, 3, "best", None]),
        (Int(3, 5), [3, 4, 5], [2, 6, 4.0, "4"]),
    ],
)
def test_what_is_inside(kind, inside, outside):
    assert all(value in kind for value in inside)
    assert not any(value in kind for value in outside)


def test_what_no_range_can_hold():
    assert Float(0.1, 2).including("best") is None
    assert Float(0.1, 2, log=True).including(0.0) is None
    assert Float(0.1, 2).including(0.0) == Float(0.0, 2)
    assert Int(1, 9).including(2.5) is None
    assert Categorical((1, 2)).including(None) == Categorical((1, 2, None))


def test_sizes():
    assert [kind.size for kind in (Categorical("abc"), Int(3, 5), Float(0, 1))] == [
        3,
        3,
        float("inf"),
    ]


def test_the_documentation_has_every_space():
    text = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `.*", text, re.MULTILINE) == [
        f"| `{name}` | `{option}` | {kind} |"
        for name, model in MODELS.items()
        for option, kind in model.space.items()
    ]


def test_what_the_readme_sets_is_in_the_spaces():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"--set '?([a-z-]+)\.(\w+)=([^\s']+)", text)
    assert found
    for name, option, value in found:
        model = MODELS[name]
        if option in model.space:
            given = () if value == "[]" else value
            assert getattr(options.build(model, {option: given}), option) in model.space[option]
