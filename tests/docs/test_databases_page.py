"""docs/databases.md from top to bottom, as a newcomer with PostgreSQL or SQLite would do it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import in_one_process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "databases.md").read_text("utf-8")
SAY = r'recvae() { printf "%s\0" "$@"; printf "\0"; }'
"""What the shell makes of the words of a command, instead of the command: each ends with a NUL."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def shell(script: str) -> str:
    done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_page(tmp_path, request, monkeypatch, capfd):
    has_server = shutil.which("psql") is not None
    shop = request.getfixturevalue("postgresql") if has_server else "sqlite:///shop.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP", shop)
    (generate, in_python), (_, *commands, look) = blocks("python"), blocks("sh")
    exec(generate)
    typed = shell("\n".join([SAY, *commands])).removesuffix("\0\0").split("\0\0")
    told = in_one_process(*(words.split("\0") for words in typed), PYTHONPATH=str(ROOT))
    assert {code for _, _, code in told} == {0}, told
    assert any("ease" in shown for shown, _, _ in told)
    assert (tmp_path / "report").is_dir()
    if has_server:
        assert "title" in shell(look)
    exec(in_python)
    lists, said = capfd.readouterr()
    assert "rank" in lists
    assert "title" in lists
    assert "s3cret" not in f"{told}{lists}{said}"
