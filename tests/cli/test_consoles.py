"""Consoles whose encoding does not have all letters, as Windows' own."""

import json

import pytest
from commands import in_one_process

IDS = ["Amélie", "Łódź", "東京", "😀", "a…b"]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "gbk"])
def test_what_a_console_does_not_have_is_escaped(tmp_path, encoding):
    table = tmp_path / "plays.csv"
    table.write_text(
        "user,item\n" + "".join(f"{n},{item}\n" for n, item in enumerate(IDS)), "utf-8"
    )
    data = ["data", table]
    asked = [*data, "--json"], data, [*data, "--user", "東京😀"], ["--help"]
    as_json, as_text, wrong, page = in_one_process(*asked, PYTHONIOENCODING=encoding)
    assert {one["item"] for one in json.loads(as_json[0])["popular"]} == {*IDS}
    assert as_json[1:] == ("", 0)
    assert (r"\u6771\u4eac" in as_text[0]) == (encoding != "gbk")
    assert wrong[1].startswith("error: ")
    assert len(wrong[1].splitlines()) == wrong[2] == 1
    assert "recvae" in page[0]
    assert as_text[2] == page[2] == 0
