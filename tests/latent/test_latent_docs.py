"""The Python of docs/latent.md runs, in one session from top to bottom."""

import re
from pathlib import Path

import recvae as rv

PAGE = Path(__file__).parents[2] / "docs" / "latent.md"


def test_the_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    out = capsys.readouterr().out
    assert all(word in out for word in ("because", "same_reason", "usefulness", "surprise"))
    assert (tmp_path / "map" / "map.html").is_file()


def test_every_tool_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in rv.latent.__all__ if name.lower() not in text.lower()] == []
