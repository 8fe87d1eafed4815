"""What the API says about lists: reasons, blends, places on the map."""

import asyncio
from threading import Event

import numpy as np
import pytest
import scipy.sparse as sp
from serving_client import client_of

import recvae as rv
from recvae import latent
from recvae.serving import routes
from recvae.serving.schemas import MAX_EXPLAINED, MAX_LIKES, MAX_POINTS, MAX_WEIGHTS

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning"),
]


def history(*items):
    """A history of items by their ids."""
    ones = np.ones(len(items), dtype=np.float32)
    columns = np.array(items, dtype=np.int64) - 100
    return sp.csr_matrix((ones, (np.zeros_like(columns), columns)), shape=(1, 30))


def ids_of(items):
    return [one["id"] for one in items]


async def test_reasons_are_the_librarys(served, vae):
    body = {"items": [103, "nowhere", 104, 110], "k": 4, "reasons": 2}
    async with served() as client:
        answer = (await client.post("/explain", json=body)).json()
    table = latent.explain(vae, history(103, 104, 110), k=4, reasons=2)
    table = table[table["contribution"] > 0]
    assert answer["unknown"] == ["nowhere"]
    assert ids_of(answer["items"]) == list(vae.recommend(history(103, 104, 110), 4)[0][0] + 100)
    for item in answer["items"]:
        expected = table[table["item"] == item["id"]]
        assert ids_of(item["because"]) == list(expected["because"])
        found = [reason["contribution"] for reason in item["because"]]
        np.testing.assert_allclose(found, expected["contribution"], rtol=1e-3, atol=1e-5)
        assert item["users"] == vae.item_counts_[item["id"] - 100]


async def test_what_a_user_dislikes_is_in_no_list(served, vae):
    liked = {"items": [103, 104, 110], "k": 6}
    async with served() as client:
        for path, likes in (
            ("/recommend", liked),
            ("/explain", liked),
            ("/blend", {"one": {"items": [103]}, "other": {"items": [104, 110]}, "k": 6}),
        ):
            first = (await client.post(path, json=likes)).json()
            before = [one["items"] for one in first.get("lists", [first])]
            refused = [before[0][0]["id"], str(before[-1][2]["id"])]
            again = (
                await client.post(path, json={**likes, "dislikes": [*refused, "nowhere"]})
            ).json()
            assert again["unknown"] == ["nowhere"]
            for old, new in zip(
                before, [one["items"] for one in again.get("lists", [again])], strict=True
            ):
                kept = [one["id"] for one in old if str(one["id"]) not in map(str, refused)]
                assert [one["id"] for one in new][: len(kept)] == kept
                assert len(new) == 6
            bad = await client.post(path, json={**likes, "dislikes": 3})
            assert bad.status_code == 422


async def test_many_are_explained_at_once(served):
    bodies = [{"items": [100 + n, 101 + n], "k": 1 + n} for n in range(12)]
    async with served() as client:
        alone = [(await client.post("/explain", json=body)).json() for body in bodies]
        asked = (client.post("/explain", json=body) for body in bodies)
        together = [answer.json() for answer in await asyncio.gather(*asked)]
    for one, other in zip(alone, together, strict=True):
        assert ids_of(one["items"]) == ids_of(other["items"])


@pytest.mark.parametrize("items", [[], ["nowhere"]])
async def test_without_likes_there_are_no_reasons(served, items):
    async with served() as client:
        listed = (await client.post("/explain", json={"items": items, "k": 3})).json()["items"]
        place = await client.post("/place", json={"items": items})
        blend = {"one": {"items": items}, "other": {"items": [103]}, "weights": [0, 1]}
        ends = (await client.post("/blend", json=blend)).json()["lists"]
    assert [one["because"] for one in listed] == [[], [], []]
    assert place.status_code == 200
    assert {like["id"] for one in ends for item in one["items"] for like in item["because"]} <= {
        103
    }


async def test_every_model_explains(data, tmp_path):
    for name, options in (("ease", {}), ("popularity", {}), ("als", {"factors": 4})):
        rv.build_model(name, options).fit(data).save(tmp_path / name)
        async with client_of(tmp_path / name) as client:
            answer = await client.post("/explain", json={"items": [103, 104]})
        reasons = sum(len(item["because"]) for item in answer.json()["items"])
        assert (reasons == 0) == (name == "popularity")


async def test_a_blend_is_the_librarys(served, vae):
    one, other = history(103, 104), history(104, 110, 111)
    body = {
        "one": {"items": [103, 104, "nowhere"]},
        "other": {"items": [104, 110, 111]},
        "weights": [0, 0.3, 1],
        "k": 6,
        "reasons": 5,
    }
    async with served() as client:
        answer = (await client.post("/blend", json=body)).json()
    ids, scores = latent.interpolate(vae, one, other, 6, (0, 0.3, 1))
    assert answer["unknown"] == ["nowhere"]
    for row, found in enumerate(answer["lists"]):
        assert ids_of(found["items"]) == list(ids[row] + 100)
        np.testing.assert_allclose([item["score"] for item in found["items"]], scores[row], 1e-4)
    columns = ids[1]
    first, second = (latent.leave_one_out(vae, end, columns) for end in (one, other))
    added = {
        103: 0.7 * first[0],
        104: 0.7 * first[1] + 0.3 * second[0],
        110: 0.3 * second[1],
        111: 0.3 * second[2],
    }
    for place, item in enumerate(answer["lists"][1]["items"]):
        expected = {like: of[place] for like, of in added.items() if of[place] > 0}
        found = {reason["id"]: reason["contribution"] for reason in item["because"]}
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
        assert list(found.values()) == sorted(found.values(), reverse=True)


async def test_the_map_is_that_of_the_items_and_their_companions(served, vae):
    async with served() as client:
        drawn = (await client.get("/map")).json()["points"]
        few = (await client.get("/map", params={"k": 3})).json()["points"]
        place = (await client.post("/place", json={"items": [103, 104, 3]})).json()
    popular = np.argsort(-vae.item_counts_, kind="stable")
    taste_map = latent.TasteMap.fit(vae, latent.neighbor_histories(vae, popular))
    assert ids_of(drawn) == list(popular + 100)
    assert few == drawn[:3]
    places = [[point["x"], point["y"]] for point in drawn]
    np.testing.assert_allclose(places, taste_map.items[["x", "y"]].iloc[popular], atol=1e-5)
    first = vae.items_["genres"].str.partition("|")[0].iloc[popular]
    assert [point["genre"] for point in drawn] == first.tolist()
    user = taste_map.place(history(103, 104)).iloc[0]
    assert place["unknown"] == [3]
    assert (place["x"], place["y"]) == pytest.approx((user["x"], user["y"]), abs=1e-5)
    expected = {"xx": user["x_std"] ** 2, "xy": user["xy_cov"], "yy": user["y_std"] ** 2}
    assert place["spread"] == pytest.approx(expected, rel=1e-4)


async def test_nothing_waits_for_the_map(served, monkeypatch):
    drawn, released, neighbor_histories = Event(), Event(), latent.neighbor_histories

    def held_up(*given):
        drawn.set()
        assert released.wait(60)
        return neighbor_histories(*given)

    monkeypatch.setattr(latent, "neighbor_histories", held_up)
    async with served() as client:
        under_way = asyncio.ensure_future(client.get("/map"))
        await asyncio.to_thread(drawn.wait, 60)
        assert (await client.post("/recommend", json={"items": [103]})).status_code == 200
        assert not under_way.done()
        released.set()
        assert (await under_way).status_code == 200


async def test_a_taste_without_variance_has_no_spread(data, tmp_path):
    rv.MultDAE(hidden=(), latent=3, epochs=1, device="cpu").fit(data).save(tmp_path)
    async with client_of(tmp_path) as client:
        assert (await client.post("/place", json={"items": [103]})).json()["spread"] is None


async def test_without_a_latent_space(data, tmp_path):
    rv.EASE().fit(data).save(tmp_path)
    ends = {"one": {"items": [103]}, "other": {"items": [104]}}
    async with client_of(tmp_path) as client:
        health = (await client.get("/health")).json()
        answers = [
            await client.post("/blend", json=ends),
            await client.get("/map"),
            await client.post("/place", json={"items": [103]}),
        ]
    assert "EASE has no latent space" in health["no_latent_space"]
    assert [answer.status_code for answer in answers] == [501, 501, 501]
    assert {answer.json()["detail"] for answer in answers} == {health["no_latent_space"]}


MANY = [103] * (MAX_LIKES + 1)
ONE = {"items": [103]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/explain", {"items": MANY}),
        ("/explain", {"items": [103], "k": MAX_EXPLAINED + 1}),
        ("/explain", {"items": [103], "reasons": 6}),
        ("/blend", {"one": ONE, "other": {"items": MANY}}),
        ("/blend", {"one": ONE, "other": ONE, "weights": []}),
        ("/blend", {"one": ONE, "other": ONE, "weights": [0.5] * (MAX_WEIGHTS + 1)}),
        ("/blend", {"one": ONE, "other": ONE, "weights": [1.1]}),
        ("/blend", {"one": ONE, "other": ONE, "niche": 2}),
        ("/blend", {"one": ONE}),
        ("/blend", {"one": ONE, "other": ONE, "more": 1}),
        ("/place", {"items": [1.5]}),
    ],
)
async def test_requests_are_bounded(served, path, body):
    async with served() as client:
        assert (await client.post(path, json=body)).status_code == 422
        assert (await client.get("/map", params={"k": MAX_POINTS + 1})).status_code == 422


async def test_pages_name_no_other_host_and_may_load_from_none(served):
    """Swagger's own code is not ours to read: in test_page.py Chromium watches what it asks for."""
    async with served() as client:
        for path in ("/", "/docs", "/items", "/page/app.js", "/no/such/path"):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "http" not in policy.replace("'self'", "")
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        for file in routes.PAGE.iterdir():
            served_file = await client.get(f"/page/{file.name}")
            assert served_file.status_code == 200
            text = served_file.text.replace("http://www.w3.org/2000/svg", "")
            assert "://" not in text
            assert "@import" not in text
