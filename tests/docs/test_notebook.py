"""The tutorial as a notebook, run in a real kernel, whose event loop is running as in Jupyter."""

import re
from pathlib import Path

import pytest
from commands import in_one_process, typed

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
SHELL = "%%sh\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's packages
def test_the_tutorial_runs_as_a_notebook(tmp_path, monkeypatch):
    import jupytext  # not as the tests are collected, by each process
    from nbclient import NotebookClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shorter = re.sub(r"epochs=\d+", "epochs=2", TUTORIAL.read_text("utf-8"))
    notebook = jupytext.reads(shorter, "md")
    in_shell = [cell for cell in notebook.cells if cell.source.startswith(SHELL)]
    notebook.cells = [cell for cell in notebook.cells if cell not in in_shell]
    NotebookClient(notebook, timeout=300).execute()  # raises where a cell fails
    outputs = [cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code"]
    assert len(outputs) > 6
    commands = typed("\n".join(cell.source.removeprefix(SHELL) for cell in in_shell))
    told = in_one_process(*commands)
    assert [code for _, _, code in told] == [0] * 4, told
    assert (tmp_path / "report" / "index.html").exists()
