"""The README and the docs: their code runs, their commands parse, their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from inspect import isfunction
from pathlib import Path
from typing import get_type_hints

import pytest
import typer

import recvae as rv
from recvae.cli import app
from recvae.engine.trainer import Trainer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
WORD = re.compile(r"\w+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
LOADED = re.compile(r"""<(?:script|img|link|iframe)[^>]*(?:src|href)=["']?(?:https?:)?//""")
COMMANDS = typer.main.get_command(app).commands
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
QUIET = os.environ | {"NO_MKDOCS_2_WARNING": "1"}


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The blocks of a page in a language, each with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    found = [match for match in BLOCK.finditer(text) if match[1] == language]
    return [(text.count("\n", 0, match.start(2)) + 1, match[2]) for match in found]


def having(language: str, but: str = ""):
    pages = [page for page in PAGES if blocks(page, language) and page != ROOT / but]
    names = [str(page.relative_to(ROOT)) for page in pages]
    return pytest.mark.parametrize("page", pages, ids=names)


@pytest.fixture
def two_epochs(monkeypatch):
    """Nets are trained for no longer: what comes after a fit runs on worse ones too."""
    fit = Trainer.fit

    def fit_briefly(trainer, batches):
        trainer.epochs = min(trainer.epochs, 2)
        return fit(trainer, batches)

    monkeypatch.setattr(Trainer, "fit", fit_briefly)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # MLflow's use of SQLAlchemy
@having("python", but="docs/tutorial.md")  # which test_notebook.py runs
def test_the_code_runs(page, tmp_path, monkeypatch, two_epochs):
    """All blocks of a page, in one session from top to bottom."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for line, block in blocks(page, "python"):
        exec(compile("\n" * (line - 1) + block, str(page), "exec"), names)


@having("sh")
def test_the_commands_parse(page):
    """Each `recvae ...` has a command and options that exist, each script or module is there."""
    lines = [
        line for _, block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()
    ]
    assert [line for line in lines if is_ours(line)]


def is_ours(line: str) -> bool:
    """Whether a line runs something of this project; an error if that is not there."""
    words = [word for word in shlex.split(line, comments=True) if not is_variable(word)]
    if words[:1] == ["torchrun"]:
        words = words[words.index("-m") :]
        words = words[1:] if words[1] == "recvae" else ["python", *words]
    match words:
        case ["recvae", name, *arguments]:
            COMMANDS[name].make_context(name, arguments)
        case ["python", "-m", module, *_]:
            assert find_spec(module), line
        case ["python", script, *_]:
            assert (ROOT / script).exists(), line
        case ["make", target]:
            assert re.search(f"^{target}:", MAKEFILE, re.MULTILINE), line
        case _:
            return False
    return True


def is_variable(word: str) -> bool:
    return bool(re.match(r"[A-Z_]+=", word))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_lead_somewhere(page):
    """To a file that is there and, but for what mkdocstrings names, to a heading in it."""
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    for path, _, anchor in (link.partition("#") for link in links):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or target.parent == DOCS / "api" or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in addresses."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pages_have_links():
    """Or the test above would look at none."""
    assert sum(len(LINK.findall(page.read_text("utf-8"))) for page in PAGES) > 100


def test_the_files_that_are_named_are_there():
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"`((?:recvae|benchmarks|docs|scripts|tests)/[\w/.-]+\.\w+)`", text))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def first_table(page: str) -> dict[str, dict[str, str]]:
    """The lines of a page's first table of models, each by the heads of its columns."""
    text = (DOCS / page).read_text("utf-8")
    table = re.search(r"^\| model .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert table
    head, _, *lines = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()
    )
    return {line[0]: dict(zip(map(str.lower, head), line, strict=True)) for line in lines}


def test_the_figures_are_those_of_the_results():
    shown, measured = first_table("models.md"), first_table("results.md")
    assert len(shown) > 10
    for model, figures in shown.items():
        for column in ("ndcg@100", "training", "size"):
            assert figures[column] == measured[model][column]


def test_every_public_name_is_in_the_reference():
    entries = "\n".join(page.read_text("utf-8") for page in (DOCS / "api").glob("*.md"))
    listed = {entry.rpartition(".")[2] for entry in re.findall(r"^::: (\S+)", entries, re.M)}
    assert {*rv.__all__, *rv.latent.__all__} - listed - {"latent"} == set()


def test_every_command_is_there():
    text = (DOCS / "commands.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"| `recvae {name}` |" not in text] == []


def test_every_latent_tool_is_shown():
    """By its name, as code; what a tool returns need not be named."""
    pages = [DOCS / "latent.md", *(DOCS / "latent").glob("*.md")]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    shown = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r"\blatent\.(\w+)\(", text))
    public = {name: getattr(rv.latent, name) for name in rv.latent.__all__}
    returned = {get_type_hints(tool).get("return") for tool in public.values() if isfunction(tool)}
    tools = {name for name, tool in public.items() if tool not in returned}
    assert len(tools) > 20
    assert tools - shown == set()


def test_the_glossary_names_what_the_code_has():
    """Each word in the last column's code stands somewhere in the package."""
    lines = re.findall(r"^\| \*\*.*\|(.*)\|$", (DOCS / "glossary.md").read_text("utf-8"), re.M)
    named = {
        word for code in re.findall(r"`(.+?)`", " ".join(lines)) for word in WORD.findall(code)
    }
    sources = [*Path(rv.__file__).parent.rglob("*.py"), *Path(rv.__file__).parent.rglob("*.pyi")]
    assert len(named) > 60
    assert (
        named - {word for path in sources for word in WORD.findall(path.read_text("utf-8"))}
        == set()
    )


@pytest.mark.slow
def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("mkdocs", reason="needs the extra recvae[docs]")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=QUIET)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == len(PAGES)  # 404.html for README.md
    assert [page for page in pages if LOADED.search(page.read_text("utf-8"))] == []
