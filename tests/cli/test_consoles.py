"""Consoles whose encoding does not have all letters, as Windows' own."""

import json
import os
import subprocess
import sys

import pytest

IDS = ["Amélie", "Łódź", "東京", "😀", "a…b"]

RUN = """
import json, sys
from recvae.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["recvae", *arguments]
    try:
        main()
    except SystemExit as end:
        print(f"\\f{end.code}\\f", end="", flush=True)
        print("\\f", end="", file=sys.stderr, flush=True)
"""


def recvae(encoding, *commands):
    """What commands of one process show and say, and their exit codes."""
    asked = json.dumps([[*map(str, command)] for command in commands])
    env = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-c", RUN, asked], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(encoding)
    shown, said = (text.decode(encoding).split("\f") for text in (done.stdout, done.stderr))
    return list(zip(shown[::2], said, map(int, shown[1::2]), strict=False))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "gbk"])
def test_what_a_console_does_not_have_is_escaped(tmp_path, encoding):
    table = tmp_path / "plays.csv"
    table.write_text(
        "user,item\n" + "".join(f"{n},{item}\n" for n, item in enumerate(IDS)), "utf-8"
    )
    data = ["data", table]
    as_json, as_text, wrong, page = recvae(
        encoding, [*data, "--json"], data, [*data, "--user", "東京😀"], ["--help"]
    )
    assert {one["item"] for one in json.loads(as_json[0])["popular"]} == {*IDS}
    assert as_json[1:] == ("", 0)
    assert (r"\u6771\u4eac" in as_text[0]) == (encoding != "gbk")
    assert wrong[1].startswith("error: ")
    assert len(wrong[1].splitlines()) == wrong[2] == 1
    assert "recvae" in page[0]
    assert as_text[2] == page[2] == 0
