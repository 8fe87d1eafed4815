from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pytest

from recvae.errors import OptionError
from recvae.options import ranges as options


@dataclass(kw_only=True, eq=False)
class Settings:
    name: ClassVar[str] = "not an option"

    latent: options.PositiveInt = 200
    seed: options.NonNegativeInt = 0
    rate: options.PositiveFloat = 1.0
    penalty: options.NonNegativeFloat = 0.0
    share: options.Fraction = 0.5
    dropout: options.DropRate = 0.5
    hidden: options.Widths = (600,)
    kind: Literal["tanh", "relu"] = "tanh"
    patience: options.PositiveInt | None = None
    beta: options.NonNegativeFloat | Literal["best"] = 0.2


def test_text_is_read_as_what_the_option_is():
    made = options.build(
        Settings, {"latent": "8", "rate": "1e-3", "hidden": "600,200", "kind": "relu", "beta": "1"}
    )
    assert (made.latent, made.rate, made.hidden, made.kind) == (8, 1e-3, (600, 200), "relu")
    assert made.beta == 1.0
    assert made.dropout == 0.5


@pytest.mark.parametrize(
    ("given", "hidden"),
    [(600, (600,)), ("600", (600,)), ([600, 200], (600, 200)), ((), ()), (["8", "4"], (8, 4))],
)
def test_widths(given, hidden):
    assert options.build(Settings, {"hidden": given}).hidden == hidden


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(
        OptionError, match=r"Settings has no option 'latnet': did you mean 'latent'"
    ):
        options.build(Settings, {"latnet": 3})
    with pytest.raises(OptionError, match="no option 'name'"):
        options.build(Settings, {"name": "x"})


OUT_OF_RANGE = [
    ("latent", 0),
    ("latent", 2.5),
    ("seed", -1),
    ("rate", 0.0),
    ("rate", float("inf")),
    ("rate", float("nan")),
    ("penalty", -0.1),
    ("share", 1.1),
    ("share", float("nan")),
    ("dropout", 1.0),
    ("hidden", (600, 0)),
    ("kind", "sigmoid"),
    ("patience", 0),
    ("beta", "worst"),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_its_range_is_refused_by_build_and_by_check(name, value):
    with pytest.raises(OptionError, match=f"Settings can't take {name}"):
        options.build(Settings, {name: value})
    with pytest.raises(OptionError, match=f"Settings can't take {name}"):
        options.check(Settings(**{name: value}))


def test_every_problem_is_named_once():
    with pytest.raises(OptionError) as error:
        options.build(Settings, {"latent": 0, "hidden": (1, -2), "beta": -1})
    assert str(error.value) == (
        "Settings can't take latent=0: Input should be greater than or equal to 1; "
        "hidden.1=-2: Input should be greater than or equal to 1; "
        "beta=-1: Input should be greater than or equal to 0, or Input should be 'best'"
    )


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [("latent", "8", "8"), ("latent", 8.0, "8"), ("rate", "0.5", "0.5"), ("hidden", 8, r"\(8,\)")],
)
def test_check_takes_nothing_that_only_reads_like_a_value(name, value, cure):
    with pytest.raises(OptionError, match=f"{name}={value!r}: give {cure}"):
        options.check(Settings(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", 3),
        ("rate", np.float32(0.5)),
        ("latent", np.int64(8)),
        ("hidden", [8, 4]),
        ("patience", None),
        ("patience", 3),
        ("beta", "best"),
    ],
)
def test_check_takes_what_can_be_used(name, value):
    options.check(Settings(**{name: value}))


def test_values_are_what_was_given_in_plain_numbers():
    given = options.values(Settings(latent=np.int64(8), rate=np.float64(0.5)))
    assert given["latent"] == 8
    assert type(given["latent"]) is int
    assert type(given["rate"]) is float
    assert "name" not in given
    assert options.values(options.build(Settings, given)) == given
