"""The tutorial as a notebook, run in a real kernel, whose event loop is running as in Jupyter."""

import os
import re
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
COMMANDS = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's packages
def test_the_tutorial_runs_as_a_notebook(tmp_path, monkeypatch):
    import jupytext  # not as the tests are collected, by each process
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", f"{COMMANDS}{os.pathsep}{os.environ['PATH']}")
    shorter = re.sub(r"epochs=\d+", "epochs=2", TUTORIAL.read_text("utf-8"))
    notebook = jupytext.reads(shorter, "md")
    here = {"metadata": {"path": tmp_path}}
    NotebookClient(notebook, timeout=300, resources=here).execute()  # raises where a cell fails
    outputs = [cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code"]
    assert len(outputs) > 8
    assert (tmp_path / "report" / "index.html").exists()
