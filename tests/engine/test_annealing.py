import math

import pytest

from recvae import options
from recvae.engine.annealing import kl_weight, lr_factor, warm_up_steps
from recvae.errors import OptionError
from recvae.models import MultVAE

PAPER = {"cap": 0.2, "warm_up": 40_000, "total": 100_000}


@pytest.mark.parametrize(
    ("step", "beta"),
    [
        (0, 0.0),
        (1, 1 / 200_000),
        (20_000, 0.1),
        (39_999, 39_999 / 200_000),
        (40_000, 0.2),
        (99_999, 0.2),
    ],
)
def test_linear_is_the_papers_schedule(step, beta):
    assert kl_weight(step, **PAPER) == pytest.approx(min(0.2, step / 200_000))
    assert kl_weight(step, **PAPER) == pytest.approx(beta)


@pytest.mark.parametrize("step", [0, 1, 50, 99_999])
def test_constant_is_the_cap(step):
    assert kl_weight(step, **PAPER, schedule="constant") == 0.2


@pytest.mark.parametrize(
    ("step", "beta"),
    [(0, 0.0), (5, 0.25), (10, 0.5), (15, 0.5), (19, 0.5), (20, 0.0), (25, 0.25), (79, 0.5)],
)
def test_cyclical_starts_again_in_each_quarter_of_the_run(step, beta):
    args = {"cap": 0.5, "warm_up": 40, "total": 80, "schedule": "cyclical"}
    assert kl_weight(step, **args) == pytest.approx(beta)


def test_no_warm_up_is_the_cap_from_the_start():
    assert kl_weight(0, cap=0.2, warm_up=0, total=10) == 0.2


@pytest.mark.parametrize(
    ("warm_up", "steps"),
    [(0, 0), (123, 123), (0.0, 0), (0.25, 225), (1.0, 900), ("1 epoch", 9), ("20 epochs", 180)],
)
def test_warm_up_in_steps_fraction_or_epochs(warm_up, steps):
    assert warm_up_steps(warm_up, steps_per_epoch=9, epochs=100) == steps


@pytest.mark.parametrize(("text", "warm_up"), [("1.0", 1.0), ("0.25", 0.25), ("1", 1), ("40", 40)])
def test_a_point_makes_a_fraction_of_text(text, warm_up):
    """As the command line gives it: "1.0" is the whole run, "1" is one step."""
    given = options.build(MultVAE, {"warm_up": text}).warm_up
    assert (given, type(given)) == (warm_up, type(warm_up))


@pytest.mark.parametrize("warm_up", [1.5, -0.1, -1, "soon", "-3 epochs", float("nan")])
def test_a_wrong_warm_up_is_refused(warm_up):
    with pytest.raises(OptionError, match="warm_up"):
        options.build(MultVAE, {"warm_up": warm_up})


@pytest.mark.parametrize(
    ("step", "share"),
    [(0, 0.1), (4, 0.5 * (1 + math.cos(0.02 * math.pi)) / 2), (100, 0.5), (199, 6.2e-5)],
)
def test_the_cosine_rises_then_falls_to_0(step, share):
    given = lr_factor(step, total=200, schedule="cosine")
    assert given == pytest.approx(share, rel=0.01)


def test_a_constant_rate_is_whole():
    assert {lr_factor(step, total=9, schedule="constant") for step in range(9)} == {1.0}


@pytest.mark.parametrize("total", [1, 2, 19])
def test_a_short_run_has_a_rate_at_each_step(total):
    shares = [lr_factor(step, total=total, schedule="cosine") for step in range(total)]
    assert all(0 < share <= 1 for share in shares)
