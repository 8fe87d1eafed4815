"""The map's page, opened in a headless Chromium."""

import numpy as np
import pandas as pd
import pytest
from browser import PHONE, Watch

from recvae.latent.map_page import write_map

N = 60


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page of 60 items, one of them without a title, and two users."""
    rng = np.random.default_rng(0)
    items = pd.DataFrame(rng.normal(size=(N, 2)), columns=["x", "y"])
    items["title"] = [None, "Amélie <2001>", *(f"Film {n}" for n in range(2, N))]
    items["genres"] = np.resize(["Drama", "Comedy|War", "Western"], N)
    users = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, -1.0]})
    return write_map(items, users, tmp_path_factory.mktemp("map")).as_uri()


@pytest.fixture
def page(browser, path, request):
    """The page, of which nothing may complain."""
    watch, options = Watch(), getattr(request, "param", {})
    context = browser.new_context(**options)
    page = context.new_page()
    watch.follow(page)
    page.goto(path)
    yield page
    context.close()
    assert (watch.problems, watch.hosts) == ([], {""})


def found(page):
    return page.locator("#found").inner_text()


def test_search(page):
    page.get_by_label("Find").fill("amelie")
    assert found(page) == "1 found: Amélie <2001>"
    assert page.locator("circle.found").count() == 1
    page.get_by_label("Find").fill("film 5")
    assert found(page) == "11 found: Film 5; Film 50; Film 51; Film 52; Film 53 ..."
    page.keyboard.press("Enter")
    page.get_by_label("Find").fill("zzz")
    assert found(page) == "0 found"
    page.get_by_label("Find").fill("0")
    assert "found: 0;" in found(page)
    page.get_by_label("Find").fill("")
    assert page.locator("circle.found").count() == 0


def test_genres_are_shown_and_hidden_by_keyboard(page):
    assert page.locator("circle:visible").count() == N
    page.get_by_label("Comedy").focus()
    page.keyboard.press("Space")
    assert page.locator("circle:visible").count() == N * 2 / 3
    page.keyboard.press("Space")
    assert page.locator("circle:visible").count() == N


def test_zoom_and_drag(page):
    def view():
        return [float(part) for part in page.locator("#map").get_attribute("viewBox").split()]

    whole = view()
    page.get_by_role("button", name="Nearer").click()
    assert view()[2] == pytest.approx(0.7 * whole[2])
    before, box = view(), page.locator("#map").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 120)
    page.mouse.up()
    unit = before[2] / min(box["width"], box["height"])
    assert view()[0] == pytest.approx(before[0] - 50 * unit, rel=0.02)
    assert view()[1] == pytest.approx(before[1] - 20 * unit, rel=0.02)
    page.mouse.wheel(0, -300)
    assert view()[2] < before[2]
    page.get_by_role("button", name="All").click()
    assert view() == whole


@pytest.mark.parametrize("page", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone(page):
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True
)
def test_accessibility(page):
    """By the rules of axe-core: names, roles, contrast."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    assert axe.run(page).response["violations"] == []
