"""Ids beyond 2^53 - 1, as a browser reads and sends them."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from serving_client import client_of, listening

import recvae as rv
from recvae.serving import create_app

LONG = 1_540_000_000_000_000_000
IDS = [LONG + n for n in range(38)] + [2**53 - 1, 2**53]
TITLES = [f"film{n:02}" for n in range(len(IDS))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    matrix = sp.random(80, len(IDS), density=0.4, format="csr", random_state=0, dtype=np.float32)
    items = pd.DataFrame({"title": TITLES}, index=pd.Index(IDS, name="item"))
    users = pd.DataFrame(index=pd.RangeIndex(80, name="user"))
    data = rv.Interactions(matrix, users, items)
    small = {"hidden": (), "latent": 4, "epochs": 1, "device": "cpu"}
    folder = tmp_path_factory.mktemp("long")
    rv.MultVAE(**small).fit(data).save(folder)
    return folder


def as_javascript(answer):
    """What JSON.parse makes of an answer: all numbers are floats."""
    return json.loads(answer.text, parse_int=lambda digits: int(float(digits)))


def ids(part):
    """All ids anywhere in an answer."""
    if isinstance(part, dict):
        found = [part["id"]] if "id" in part else []
        return found + ids(list(part.values()))
    return [one for each in part for one in ids(each)] if isinstance(part, list) else []


@pytest.mark.anyio
async def test_long_ids_come_back_as_they_are(folder):
    async with client_of(folder) as client:
        listed = as_javascript(await client.get("/items", params={"k": len(IDS)}))
        given = ids(listed)
        assert {str(one) for one in given} == {str(one) for one in IDS}
        assert 2**53 - 1 in given
        likes = given[:20]
        one, other = {"items": likes[:10]}, {"items": likes[10:]}
        answers = [
            await client.post("/recommend", json={"items": likes}),
            await client.post("/explain", json={"items": likes}),
            await client.post("/blend", json={"one": one, "other": other}),
            await client.get("/similar", params={"item": likes[0]}),
            await client.get("/map"),
        ]
        for answer in map(as_javascript, answers):
            assert answer.get("unknown", []) == []
            assert {str(one) for one in ids(answer)} <= {str(one) for one in IDS}
        unknown = await client.post(
            "/recommend", json={"items": [LONG - 1, str(LONG - 2), 7, LONG]}
        )
        assert as_javascript(unknown)["unknown"] == [str(LONG - 1), str(LONG - 2), 7]


def test_the_page_sends_them_back_as_they_are(folder, browser):
    sent, answers = [], []
    with listening(create_app(folder, device="cpu")) as url:
        page = browser.new_page()
        page.on("request", lambda one: sent.append(one.post_data_json) if one.post_data else None)
        page.on("response", lambda one: answers.append(one) if one.request.post_data else None)
        page.goto(url)
        liked = [3, 4, 38, 39]
        for number in liked:
            page.locator("#one [role=combobox]").fill(TITLES[number])
            page.locator("#one [role=option]").first.click()
        page.locator(".list[aria-busy=false] #picks > li").first.wait_for()
        liked.append(TITLES.index(page.locator("#picks .name").first.inner_text()))
        page.locator("#picks .like").first.click()
        page.locator("#one .chip").nth(4).wait_for()
        page.locator(".list[aria-busy=false] #picks > li").first.wait_for()
        assert [str(one) for one in sent[-1]["items"]] == [str(IDS[number]) for number in liked]
        assert [answer.json().get("unknown", []) for answer in answers] == [[]] * len(sent)
        page.close()
