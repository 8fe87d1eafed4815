"""docs/databases.md from top to bottom, as a newcomer with PostgreSQL or SQLite would do it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import in_one_process, typed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "databases.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_page(tmp_path, request, monkeypatch, capfd):
    has_server = shutil.which("psql") is not None
    shop = request.getfixturevalue("postgresql") if has_server else "sqlite:///shop.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP", shop)
    (generate, in_python), (_, *commands, look) = blocks("python"), blocks("sh")
    exec(generate)
    told = in_one_process(*typed("".join(commands)), PYTHONPATH=str(ROOT))
    assert {code for _, _, code in told} == {0}, told
    assert any("ease" in shown for shown, _, _ in told)
    assert (tmp_path / "report").is_dir()
    if has_server:
        shown = subprocess.run(["bash", "-c", look], check=True, capture_output=True, text=True)
        assert "title" in shown.stdout
    exec(in_python)
    lists, said = capfd.readouterr()
    assert "rank" in lists
    assert "title" in lists
    assert "s3cret" not in f"{told}{lists}{said}"
