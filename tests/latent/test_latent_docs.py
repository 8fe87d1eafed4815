"""The Python of docs/latent.md and of the pages below it runs, each page from top to bottom."""

import re
from pathlib import Path

import pytest

import recvae as rv

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "latent.md", *sorted((DOCS / "latent").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)


def test_every_tool_is_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES).lower()
    assert [name for name in rv.latent.__all__ if name.lower() not in text] == []
