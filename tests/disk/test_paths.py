"""Paths that users name."""

import os
from pathlib import Path

import pytest

import recvae as rv
from recvae.disk import atomic
from recvae.disk.paths import path_of
from recvae.errors import OptionError, WriteError
from recvae.serving import create_app

NO_UTF8 = os.fsdecode(b"b\xe4d")
NOWHERE = "~nobody-is-called-so/likes.csv"
READ = (path_of, rv.read_interactions, rv.read_items, rv.load_model, rv.read_shards, rv.read_split)


def test_the_tilde_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("~/runs") == tmp_path / "runs"
    assert path_of(Path("runs/~")) == Path("runs/~")


@pytest.mark.parametrize("read", [*READ, create_app])
def test_a_home_that_nobody_knows_is_one_clear_error(read):
    with pytest.raises(OptionError, match=f"the ~ of {NOWHERE} stands for no home.*write"):
        read(NOWHERE)


def test_a_name_that_is_no_utf8_is_one_clear_error(tmp_path):
    model = rv.Popularity().fit(rv.read_interactions({"user": [1, 2], "item": [1, 2]}))
    for write in (model.save, atomic.make_folder):
        with pytest.raises(WriteError, match=r"can't be written .*utf-8.*: choose a place"):
            write(tmp_path / NO_UTF8)
    assert not list(tmp_path.glob("b*/*.json"))
