"""The report: files that are there, a page that needs nothing else and hides nothing."""

import json
import re
from errno import ENOSPC
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stub_models import KnowsOnlyItsUsers, Noisy, Trained, small_split

from recvae.errors import WriteError
from recvae.experiments.compare import compare
from recvae.experiments.comparison import Comparison
from recvae.experiments.report import plots
from recvae.experiments.report.page import write_report


@pytest.fixture(scope="module")
def result() -> Comparison:
    models = {
        "good <b>": Trained(),
        "bad": Noisy(noise=5.0),
        "bpr": KnowsOnlyItsUsers(),
    }
    return compare(models, small_split(), metrics=("coverage@5", "ndcg@20"), tune_trials=2)


@pytest.fixture(scope="module")
def page(result, tmp_path_factory) -> Path:
    return write_report(result, tmp_path_factory.mktemp("a report") / "new" / "folder")


class Tags(HTMLParser):
    """Collects the tags of a page, and checks that they are closed in order."""

    VOID = frozenset({"meta", "img", "source", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_all_files_are_there(page):
    names = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*.*")}
    by = ("metric-by-training-time", "metric-by-length", "metric-by-activity")
    plots = ("differences", *by, "training")
    assert names == {
        "index.html",
        "comparison.json",
        "table.csv",
        "differences.csv",
        "per_user.csv",
        *(f"plots/{name}.{kind}" for name in plots for kind in ("svg", "png")),
    }


def test_the_tables_hold_the_result(page, result):
    facts = json.loads((page.parent / "comparison.json").read_text(encoding="utf-8"))
    assert facts == json.loads(json.dumps(result.to_dict()))
    table = pd.read_csv(page.parent / "table.csv", index_col="model")
    pd.testing.assert_frame_equal(table, result.table)
    users = pd.read_csv(page.parent / "per_user.csv")
    assert users.groupby("model")["ndcg@20"].mean().to_dict() == pytest.approx(
        result.table["ndcg@20"].to_dict()
    )
    assert users["user"].str.startswith("u").all()


def test_the_page_is_well_formed_and_needs_nothing_else(page):
    tags = Tags(page.read_text(encoding="utf-8"))
    assert not tags.open
    assert not tags.of("script")
    assert not tags.of("link")
    sources = [a["src"] for a in tags.of("img")] + [a["srcset"] for a in tags.of("source")]
    assert len(sources) == 10
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_every_picture_has_words(page):
    images = Tags(page.read_text(encoding="utf-8")).of("img")
    assert len(images) >= 5
    for image in images:
        assert re.search(r"\d", image["alt"])
        assert len(image["alt"]) > 30


def test_the_page_says_what_was_found_and_how(page, result):
    html = page.read_text(encoding="utf-8")
    assert result.to_dict()["headline"].replace("<b>", "&lt;b&gt;") in html
    assert "good <b>" not in html
    assert "bpr is left out: it knows only the users it was trained on" in html
    assert "DCG / the best possible DCG" in html
    assert result.setting["data fingerprint"] in html
    assert 'class="chosen">noise=' in html
    assert "2 trials in" in html


def test_one_model_without_a_history_is_enough(tmp_path):
    result = compare({"alone": Noisy()}, small_split())
    page = write_report(result, tmp_path)
    names = {path.stem for path in (tmp_path / "plots").iterdir()}
    assert names == {"metric-by-length", "metric-by-activity"}
    assert not Tags(page.read_text(encoding="utf-8")).open


@pytest.mark.slow
def test_a_report_is_the_same_each_time(page, result, tmp_path):
    again = write_report(result, tmp_path)
    assert again.read_bytes() == page.read_bytes()


def test_a_folder_that_cannot_be_written_is_said_so(result, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match=r"file.* can't be written .*: choose a place"):
        write_report(result, tmp_path / "file")


def test_a_full_disk_leaves_the_report_that_is_there(tmp_path, monkeypatch):
    page = write_report(compare({"alone": Noisy()}, small_split()), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def write_nothing(path, content):
        path.open("wb").close()
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_nothing)
    with pytest.raises(WriteError, match=r"No space left.*has room"):
        write_report(compare({"other": Noisy()}, small_split()), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert page in before


def test_the_lines_that_are_named_end_apart_and_have_one_colour(result):
    figure = plots.metric_by_length(result)
    named = [{text.get_text(): text.get_color() for text in axes.texts} for axes in figure.axes]
    assert named[0] == named[1]
    assert result.curves.T["ndcg@100"].idxmax() in named[0]
    assert len(named[0]) == len(set(named[0].values())) <= plots.MOST_NAMED
    for axes in figure.axes:
        heights = sorted(text.xy[1] for text in axes.texts)
        assert all(np.diff(heights) > 0.02 * np.ptp(axes.get_ylim()))


def test_no_column_is_lost_on_a_screen(tmp_path, browser):
    models = {"a-model-of-a-long-name": Trained(), "bad": Noisy(noise=5.0)}
    metrics = ("ndcg@100", "recall@20", "recall@50")
    page = write_report(compare(models, small_split(), metrics=metrics), tmp_path)
    screen = browser.new_page(viewport={"width": 1300, "height": 900})
    screen.goto(page.as_uri())
    wide, seen = screen.evaluate(
        "(t => [t.scrollWidth, t.clientWidth])(document.querySelector('.scroll'))"
    )
    assert 900 < wide <= seen
    screen.close()
