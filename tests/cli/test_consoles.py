"""Consoles whose encoding does not have all letters, as Windows' own."""

import json
import os
import subprocess
import sys

import pytest

IDS = ["Amélie", "Łódź", "東京", "😀", "a…b"]


def recvae(encoding, *arguments, code=0):
    command = [sys.executable, "-m", "recvae", *map(str, arguments)]
    env = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    done = subprocess.run(command, env=env, capture_output=True)
    assert done.returncode == code, done.stderr.decode(encoding)
    return done.stdout.decode(encoding), done.stderr.decode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "gbk"])
def test_what_a_console_does_not_have_is_escaped(tmp_path, encoding):
    table = tmp_path / "plays.csv"
    table.write_text(
        "user,item\n" + "".join(f"{n},{item}\n" for n, item in enumerate(IDS)), "utf-8"
    )
    shown, said = recvae(encoding, "data", table, "--json")
    assert {one["item"] for one in json.loads(shown)["popular"]} == {*IDS}
    assert said == ""
    text, _ = recvae(encoding, "data", table)
    assert (r"\u6771\u4eac" in text) == (encoding != "gbk")
    _, error = recvae(encoding, "data", table, "--user", "東京😀", code=1)
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
    assert "recvae" in recvae(encoding, "--help")[0]
