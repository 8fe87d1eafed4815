"""docs/databases.md from top to bottom, as a newcomer with PostgreSQL or SQLite would do it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "databases.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_page(tmp_path, request):
    has_server = shutil.which("psql") is not None
    shop = request.getfixturevalue("postgresql") if has_server else "sqlite:///shop.db"
    (generate, in_python), (_, *commands) = blocks("python"), blocks("sh")
    shell = f'recvae() {{ "{sys.executable}" -m recvae "$@"; }}\n' + "".join(commands)
    if not has_server:
        shell = re.sub("^psql .*$", "", shell, flags=re.MULTILINE)

    def run(*command: str) -> str:
        env = os.environ | {"SHOP": shop, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-c", generate)
    said = run("bash", "-e", "-c", shell)
    assert "ease" in said
    assert (tmp_path / "report").is_dir()
    lists = run(sys.executable, "-c", in_python)
    assert "rank" in lists
    assert "title" in lists
