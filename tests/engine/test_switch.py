"""A setting that several want at once."""

import pytest

from recvae.engine.switch import Switch


@pytest.fixture
def turns() -> list[str]:
    return []


@pytest.fixture
def switch(turns) -> Switch:
    def turn_on():
        number = 1 + len(turns) // 2
        turns.append(f"on {number}")
        return lambda: turns.append(f"off {number}")

    return Switch(turn_on)


def test_the_first_turns_it_on_and_the_last_off(switch, turns):
    first, second, third = switch.on(), switch.on(), switch.on()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    third.__enter__()
    second.__exit__(None, None, None)
    assert turns == ["on 1"]
    third.__exit__(None, None, None)
    assert turns == ["on 1", "off 1"]


def test_it_is_turned_on_anew_each_time(switch, turns):
    for _ in range(2):
        with switch.on():
            pass
    assert turns == ["on 1", "off 1", "on 2", "off 2"]


def test_an_error_turns_it_off_too(switch, turns):
    with pytest.raises(ZeroDivisionError), switch.on():
        1 / 0  # noqa: B018
    assert turns == ["on 1", "off 1"]
