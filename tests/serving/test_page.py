"""The page, used in a headless Chromium as people use it."""

import math
import os
import re
from contextlib import contextmanager

import httpx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from browser import PHONE, Watch
from PIL import Image
from serving_client import listening

import recvae as rv
from recvae.serving import create_app

SCREENSHOTS = os.environ.get("RECVAE_SCREENSHOTS")
PICKS = "#picks > li .what > .name"


@pytest.fixture(scope="module")
def folders(tmp_path_factory, data):
    """Saved models: an autoencoder of the sample's films, and small ones of items in part named."""
    folder = tmp_path_factory.mktemp("models")
    films = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    small = {"hidden": (), "latent": 8, "device": "cpu"}
    models = {
        "vae": rv.MultVAE(epochs=4, **small).fit(films),
        "dae": rv.MultDAE(epochs=2, **small).fit(data),
        "ease": rv.EASE().fit(data),
        "popularity": rv.Popularity().fit(data),
    }
    for name, model in models.items():
        model.save(folder / name)
    return folder


@pytest.fixture(scope="module")
def movies(tmp_path_factory, real_data):
    """A saved Mult-VAE of MovieLens 1M."""
    folder = tmp_path_factory.mktemp("movies")
    films = rv.load_dataset("ml-1m", data_dir=real_data, min_rating=4, min_user_items=5)
    rv.MultVAE(hidden=(), beta=0.0165, batch_size=100, epochs=30).fit(films).save(folder)
    return folder


@contextmanager
def serving(folder, port=0, **options):
    """Serve a model from a thread; yield where."""
    with listening(create_app(folder, **options), port) as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def url(folders):
    """Where the sample's films are served."""
    with serving(folders / "vae", device="cpu") as where:
        yield where


@pytest.fixture
def watch():
    """What goes wrong; nothing may, but for what a test expects and takes off the list."""
    watch = Watch()
    yield watch
    assert watch.problems == []
    assert {host.partition(":")[0] for host in watch.hosts} == {"127.0.0.1"}


@pytest.fixture
def visit(browser, watch):
    """Open a page, in a window of its own."""
    contexts = []

    def open_page(where, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        watch.follow(page)
        page.goto(where)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit, url):
    """The page of the sample's films, ready."""
    page = visit(url)
    page.locator(".starters .chip").first.wait_for()
    page.locator(".dots").first.wait_for(state="attached")
    return page


def like(page, words, taste="one"):
    """Search for words, and click the first that is found."""
    page.locator(f"#{taste} [role=combobox]").fill(words)
    page.locator(f"#{taste} [role=option]").first.click()


def expect(locator):
    """Playwright's assertions, which wait until they hold."""
    from playwright.sync_api import expect

    return expect(locator)


def picks(page):
    """The titles of the list, once it follows what was chosen."""
    page.locator(".list[aria-busy=false] #picks > li").first.wait_for()
    return page.locator(PICKS).all_inner_texts()


def shown(items):
    """Titles of the API, as the page shows them."""
    return [re.sub(r" \((\d{4})\)$", r" \1", item["title"]) for item in items]


def answer(url, path, **body):
    """What the API says."""
    return httpx.post(url + path, json=body, timeout=60).json()


def first_of(url, words):
    """The item that a search finds first."""
    return httpx.get(url + "items", params={"q": words}).json()["items"][0]


def two_words(url):
    """Words that find two different films."""
    one, other = httpx.get(url + "items", params={"k": 2}).json()["items"]
    return one["title"], other["title"]


def test_search_like_and_remove(page, url):
    ids = []
    for words in two_words(url):
        like(page, words)
        ids.append(first_of(url, words)["id"])
        expected = answer(url, "explain", items=ids, k=10, reasons=2)["items"]
        expect(page.locator(PICKS)).to_have_text(shown(expected))
    reasons = page.locator("#picks > li").first.locator(".because b")
    expect(reasons).to_have_text(shown(expected[0]["because"]))
    for _ in ids:
        page.get_by_role("button", name="Remove").first.click()
    page.get_by_text("Choose something you like").wait_for()
    assert page.locator("#picks > li").count() == 0
    assert page.locator(".starters").is_visible()


def test_a_recommendation_may_be_liked(page):
    page.locator(".starters .chip").first.click()
    best = picks(page)[0]
    page.locator("#picks .like").first.click()
    expect(page.locator("#one .likes .name").nth(1)).to_have_text(best)
    expect(page.locator(PICKS).first).not_to_have_text(best)
    assert best not in picks(page)
    assert page.evaluate("document.activeElement.className") == "like"


def test_a_recommendation_may_be_refused_and_taken_back(page, url):
    like(page, two_words(url)[0])
    first = picks(page)
    best, second = page.locator("#picks .dislike").nth(0), page.locator("#picks .dislike").nth(1)
    assert best.get_attribute("aria-label").startswith("Not for me: ")
    assert not page.locator("#dislikes").is_visible()
    second.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dislikes .name")).to_have_text([first[1]])
    expect(page.locator(PICKS).nth(1)).to_have_text(first[2])
    assert page.evaluate("document.activeElement.className") == "dislike"
    assert first[1] not in picks(page)
    assert page.locator("#one .likes li").count() == 1
    page.get_by_role("list", name="Your dislikes").get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(PICKS)).to_have_text(first)
    assert not page.locator("#dislikes").is_visible()
    assert page.evaluate("document.activeElement.id") == "one-search"


def test_the_slider_between_popular_and_niche(page, url):
    words, _ = two_words(url)
    like(page, words)
    ids = [first_of(url, words)["id"]]
    for value, said in ((1, "the most niche"), (-1, "the most popular"), (0, "as the model ranks")):
        page.locator("#niche").fill(str(value))
        expected = answer(url, "explain", items=ids, k=10, niche=value)["items"]
        expect(page.locator(PICKS)).to_have_text(shown(expected))
        expect(page.locator("output[for=niche]")).to_have_text(said)


def test_the_slider_between_the_alike_and_the_diverse(page, url):
    words, others = two_words(url)
    like(page, words)
    ids = [first_of(url, words)["id"]]
    plain = answer(url, "explain", items=ids, k=10)["items"]
    for value, said in ((0.25, "a little more diverse"), (1, "as diverse as can be")):
        page.locator("#diversity").fill(str(value))
        expected = answer(url, "explain", items=ids, k=10, diversity=value)["items"]
        expect(page.locator(PICKS)).to_have_text(shown(expected))
        expect(page.locator("output[for=diversity]")).to_have_text(said)
    assert expected != plain
    like(page, others, "other")
    page.get_by_role("heading", name="Between the two").wait_for()
    one, other = ({"items": [first_of(url, text)["id"]]} for text in (words, others))
    tastes = {"one": one, "other": other, "weights": [0.5]}
    expected = answer(url, "blend", **tastes, diversity=1)["lists"][0]["items"]
    assert expected != answer(url, "blend", **tastes)["lists"][0]["items"]
    expect(page.locator(PICKS)).to_have_text(shown(expected))


def test_a_blend_of_two_tastes_along_the_way(page, url):
    words, others = two_words(url)
    like(page, words)
    picks(page)
    assert page.locator("#blend").is_hidden()
    like(page, others, "other")
    page.get_by_role("heading", name="Between the two").wait_for()
    one, other = ({"items": [first_of(url, text)["id"]]} for text in (words, others))
    shares = [0, 0.5, 1]
    lists = answer(url, "blend", one=one, other=other, weights=shares)["lists"]
    assert lists[0]["items"] != lists[2]["items"]
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    for share, expected in zip(shares, lists, strict=True):
        page.locator("#share").fill(f"{100 * share:.0f}")
        expect(page.locator(PICKS)).to_have_text(shown(expected["items"]))
    assert requests == []
    assert page.locator(".spread").count() == 2
    assert page.locator(".because .other").count() > 0
    page.get_by_role("button", name="Remove").last.click()
    page.get_by_role("heading", name="For you").wait_for()
    assert page.locator("#blend").is_hidden()


def test_the_taste_is_on_the_map_with_its_uncertainty(page, url):
    """The ellipse is that of the covariance which holds two thirds of a Gaussian."""
    words, _ = two_words(url)
    like(page, words)
    page.locator(".centre.one").first.wait_for(state="attached")
    place = answer(url, "place", items=[first_of(url, words)["id"]])
    centre = page.locator(".centre.one:not(.rim)").get_attribute("d")
    x, y = (float(number) for number in re.fullmatch(r"M(\S+) (\S+)h0", centre).groups())
    assert (x, -y) == pytest.approx((place["x"], place["y"]))
    a, b, c, d = page.locator(".spread").evaluate(
        "({transform}) => (({a, b, c, d}) => [a, b, c, d])(transform.baseVal.consolidate().matrix)"
    )
    within = 2 * math.log(3)
    covariance = [a * a + c * c, -(a * b + c * d), b * b + d * d]
    expected = [within * place["spread"][name] for name in ("xx", "xy", "yy")]
    assert covariance == pytest.approx(expected, rel=1e-4, abs=1e-4)
    expect(page.locator("#nearby")).to_contain_text("Well known and near: ")


def test_items_of_the_map_are_named_and_liked_by_pointer(page):
    dot = page.locator(".dots").first.get_attribute("d")
    x, y = map(float, re.match(r"M(\S+) (\S+)h0", dot).groups())
    left, top, side = map(float, page.locator(".plane svg").get_attribute("viewBox").split()[:3])
    box = page.locator(".plane svg").bounding_box()
    page.mouse.move(
        *(
            box[axis] + box["width"] * at
            for axis, at in (("x", (x - left) / side), ("y", (y - top) / side))
        )
    )
    named = page.locator(".names span").inner_text()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#one .likes .name")).to_have_text(re.sub(r" \((\d{4})\)$", r" \1", named))


def test_by_keyboard_alone(page, url):
    def focused():
        return page.evaluate("document.activeElement.id || document.activeElement.ariaLabel")

    title = first_of(url, "")["title"]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused() == "one-search"
    page.keyboard.type(title.split()[0])
    page.locator("#one [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    chosen = page.locator("[role=option][aria-selected=true]")
    assert chosen.get_attribute("id") == "one-0"
    assert page.locator("#one-search").get_attribute("aria-activedescendant") == "one-0"
    page.keyboard.press("Enter")
    picks(page)
    assert page.locator("#one .likes li").count() == 1
    page.keyboard.press("Tab")
    assert focused().startswith("Remove ")
    page.keyboard.press("Enter")
    page.get_by_text("Choose something you like").wait_for()
    assert focused() == "one-search"
    page.keyboard.type("zzz")
    page.get_by_text("Nothing found").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#one-search").input_value() == ""
    page.locator("#niche").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("output[for=niche]").inner_text() == "a little more niche"


def test_nothing_found(page):
    page.locator("#one [role=combobox]").fill("no such <b>film</b>")
    page.get_by_text("Nothing found for “no such <b>film</b>”.").wait_for()
    assert page.locator("#one [role=listbox]").is_hidden()


def test_stale_answers_are_dropped(page, url):
    """The answer to the first question comes after that to the second, and is not shown."""
    title, _ = two_words(url)
    ids = [first_of(url, title)["id"]]
    last = shown(answer(url, "explain", items=ids, k=10, niche=1)["items"])
    held = []
    page.route("**/explain", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/explain"):
        like(page, title)
    page.locator("#niche").fill("1")
    expect(page.locator(PICKS)).to_have_text(last)
    held[0].continue_()
    page.wait_for_timeout(200)
    expect(page.locator(PICKS)).to_have_text(last)


def test_a_server_that_is_gone(visit, folders, watch):
    with serving(folders / "ease", device="cpu") as where:
        page = visit(where)
        page.locator(".starters .chip").first.click()
        before = picks(page)
    page.locator("#niche").fill("1")
    page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
    assert page.locator("#one .likes li").count() == 1
    assert page.locator(PICKS).all_inner_texts() == before
    assert watch.problems
    assert all("Failed to load resource" in problem for problem in watch.problems)
    watch.problems.clear()
    with serving(folders / "ease", port=httpx.URL(where).port):
        page.get_by_role("button", name="Try again").click()
        page.get_by_role("alert").wait_for(state="hidden")
        expect(page.locator(PICKS)).not_to_have_text(before)


def test_a_token(visit, folders, watch):
    with serving(folders / "ease", token="secret", device="cpu") as where:
        page = visit(where)
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("It stays in this tab").wait_for()
        dialog.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        dialog.get_by_text("The server does not know that token").wait_for()
        dialog.get_by_label("Token").fill("secret")
        page.keyboard.press("Enter")
        page.locator(".starters .chip").first.click()
        assert len(picks(page)) == 10
        assert page.get_by_role("alert").is_hidden()
        assert watch.problems
        assert all("401" in problem for problem in watch.problems)
        watch.problems.clear()


@pytest.mark.parametrize("model", ["ease", "popularity"])
def test_a_model_without_a_latent_space(visit, folders, model):
    with serving(folders / model, device="cpu") as where:
        page = visit(where)
        page.locator(".starters .chip").first.click()
        assert len(picks(page)) == 10
        assert page.locator("#other").is_hidden()
        assert page.locator("#variety").is_hidden()
        assert page.locator("#map").is_hidden()
        said = page.locator("#map-absent").inner_text()
        assert "no map here" in said
        assert "has no latent space" in said
        is_rank_zero = page.locator("#list-hint").inner_text()
        assert ("does not say which of your likes" in is_rank_zero) == (model == "popularity")


def test_items_without_titles_and_tastes_without_variance(visit, folders):
    with serving(folders / "dae", device="cpu") as where:
        page = visit(where)
        like(page, "100")
        assert page.locator("#one .likes .name").inner_text() == "item 100"
        like(page, "amelie", "other")
        page.locator(".centre.other").first.wait_for(state="attached")
        assert page.locator(".spread").count() == 0
        assert page.locator(".legend li").count() == 0


def test_items_that_nobody_has_are_marked_as_new(visit, tmp_path):
    alike = np.add.outer(np.arange(60), np.arange(16)) % 2 == 0
    likes = np.random.default_rng(0).random(alike.shape) < np.where(alike, 0.7, 0.05)
    table = pd.DataFrame({"item": range(20), "title": [f"Film {n}" for n in range(20)]})
    table["kind"] = ["even", "odd"] * 10
    films = rv.Interactions.from_matrix(sp.csr_matrix(likes.astype(np.float32))).with_items(table)
    rv.EASE(regularization=10).fit(films, item_features=["kind"]).save(tmp_path)
    with serving(tmp_path, device="cpu") as where:
        page = visit(where)
        like(page, "Film 2")
        titles = picks(page)
        assert {"Film 16", "Film 18"} <= set(titles)
        for title, fame in zip(titles, page.locator("#picks .fame").all_inner_texts(), strict=True):
            is_new = title in {f"Film {n}" for n in range(16, 20)}
            assert ("nobody has it yet" in fame) == is_new
            assert ("new" in fame) == is_new


def test_on_a_phone(visit, url):
    page = visit(url, viewport=PHONE, has_touch=True)
    page.locator(".starters .chip").first.tap()
    like(page, "a", "other")
    page.get_by_role("heading", name="Between the two").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for control in page.locator("button:visible, input:visible").all():
        box = control.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= PHONE["width"]
        assert box["height"] >= 24


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(visit, url, scheme):
    """By the rules of axe-core: names, roles, contrast."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    page = visit(url, color_scheme=scheme)
    page.locator(".dots").first.wait_for(state="attached")
    assert axe.run(page).response["violations"] == []
    like(page, "a")
    like(page, "b", "other")
    page.get_by_role("heading", name="Between the two").wait_for()
    page.locator("#one [role=combobox]").fill("the")
    page.locator("#one [role=option]").first.wait_for()
    assert axe.run(page).response["violations"] == []


def test_the_page_of_the_api(visit, url):
    page = visit(url + "docs")
    page.get_by_text("/recommend", exact=True).first.wait_for()
    assert page.locator(".opblock").count() == 10
    page.get_by_text("/blend", exact=True).first.click()
    page.get_by_text("Try it out").first.click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".responses-table.live-responses-table").get_by_text("200").first.wait_for()


def photograph(page, name, width, height):
    """Save what is seen of a page, in 256 colours; check that it is of this size and not blank."""
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(500)
    path = f"{SCREENSHOTS}/{name}.png"
    page.screenshot(path=path)
    few = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 1, "dither": Image.Dither.NONE}
    Image.open(path).convert("RGB").quantize(**few).save(path, optimize=True)
    picture = Image.open(path)
    assert picture.size == (width, height)
    assert len(picture.getcolors()) > 50


@pytest.mark.skipif(not SCREENSHOTS, reason="makes screenshots in the folder RECVAE_SCREENSHOTS")
def test_screenshots(visit, movies):
    with serving(movies, device="cpu") as where:
        page = visit(where, viewport={"width": 1376, "height": 944}, device_scale_factor=1.25)
        for words in ("matrix", "alien (1979", "blade runner"):
            like(page, words)
        for words in ("sleepless in", "harry met", "notting hill"):
            like(page, words, "other")
        page.locator(".spread.other").wait_for()
        assert page.locator(".likes .name").count() == 6
        photograph(page, "page", 1376 * 1.25, 944 * 1.25)
        page = visit(where, viewport=PHONE, device_scale_factor=2, color_scheme="dark")
        for words in ("toy story", "princess bride"):
            like(page, words)
        page.locator("#niche").fill("0.5")
        assert len(picks(page)) == 10
        page.evaluate("scrollTo(0, document.querySelector('.list').offsetTop - 12)")
        photograph(page, "page-phone", *(2 * side for side in PHONE.values()))
