"""What the API answers, asked in this process."""

import asyncio

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from serving_client import client_of

import recvae as rv
from recvae.errors import FoldInError
from recvae.ranking.rerank import Boost, Diversity
from recvae.serving import create_app, middleware
from recvae.serving.middleware import MAX_BODY
from recvae.serving.schemas import MAX_HISTORY, MAX_K

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning"),
]


def expected(model, items, k, weights=None):
    """What the library recommends to a user with these items."""
    history = pd.DataFrame({"user": 0, "item": items, "weight": weights or 1.0})
    return model.recommend_table(history, k, value="weight")


async def test_recommend_gives_what_the_library_gives(served, vae):
    async with served() as client:
        answer = await client.post("/recommend", json={"items": [103, "104", 105], "k": 5})
    table = expected(vae, [103, 104, 105], 5)
    assert answer.status_code == 200
    assert [one["id"] for one in answer.json()["items"]] == list(table["item"])
    assert [one["title"] for one in answer.json()["items"]] == [
        None if title != title else title for title in table["title"]
    ]
    scores = [one["score"] for one in answer.json()["items"]]
    np.testing.assert_allclose(scores, table["score"], rtol=1e-4)
    counts = vae.item_counts_[vae.item_ids_.get_indexer(table["item"])]
    assert [one["users"] for one in answer.json()["items"]] == counts.tolist()
    assert answer.json()["unknown"] == []


async def test_weights_count_and_those_of_the_same_item_are_summed(served, vae):
    body = {"items": [103, 104, 103], "weights": [1, 2, 7.5], "k": 4}
    async with served() as client:
        weighed = (await client.post("/recommend", json=body)).json()["items"]
        even = (await client.post("/recommend", json={"items": [103, 104], "k": 4})).json()["items"]
    table = expected(vae, [103, 104], 4, [8.5, 2])
    np.testing.assert_allclose([one["score"] for one in weighed], table["score"], rtol=1e-4)
    assert weighed != even


async def test_unknown_items_are_skipped_and_reported(served, vae):
    async with served() as client:
        body = {"items": [7, 103, "Brazil", "0103"], "k": 3}
        answer = (await client.post("/recommend", json=body)).json()
        code = (await client.post("/encode", json={"items": [7, 103]})).json()
        shown = (await client.get("/metrics")).text
    assert answer["unknown"] == [7, "Brazil", "0103"]
    assert [one["id"] for one in answer["items"]] == list(expected(vae, [103], 3)["item"])
    assert code["unknown"] == [7]
    assert "recvae_unknown_items_total 4.0" in shown


@pytest.mark.parametrize("items", [[], ["nowhere"]])
async def test_an_empty_history_gets_what_is_popular(served, data, items):
    async with served() as client:
        answer = await client.post("/recommend", json={"items": items, "k": 3})
        popular = await client.get("/items", params={"k": 3})
    counts = pd.Series(np.diff(data.matrix.tocsc().indptr), index=data.item_ids)
    best = list(counts.sort_values(ascending=False, kind="stable").index[:3])
    assert [one["id"] for one in answer.json()["items"]] == best
    assert [one["id"] for one in popular.json()["items"]] == best


async def test_what_is_known_of_a_user_without_a_history(data, tmp_path):
    towns = pd.DataFrame({"town": ["north", "south"] * 30, "age": [20, 50] * 30})
    told = data.with_user_info(towns.rename_axis("user"))
    model = rv.EASE().fit(told, user_features=["town", "age"])
    model.save(tmp_path)
    known = ({"town": "north"}, {"town": "south", "age": 50.5}, {}, {"age": None})
    wrong = ({"twon": "north"}, {"age": "old"}, {"town": {}})
    async with client_of(tmp_path) as client:
        asked = [
            client.post("/recommend", json={"items": [], "k": 5, "user_features": one})
            for one in (*known, *wrong)
        ]
        answers = await asyncio.gather(*asked)
        health = await client.get("/health")
    lists = [[one["id"] for one in answer.json()["items"]] for answer in answers[:4]]
    table = pd.DataFrame({"user": range(4)}).join(pd.DataFrame(known, columns=["town", "age"]))
    expected = model.recommend_table({"user": [], "item": []}, 5, user_features=table)
    assert lists == expected.groupby("user")["item"].agg(list).tolist()
    assert lists[2] == lists[3] != lists[0] != lists[1]
    assert [answer.status_code for answer in answers[4:]] == [422] * 3
    assert "did you mean 'town'" in answers[4].text
    assert health.json()["user_features"] == ["town", "age"]


async def test_a_model_without_user_features_says_so(served):
    async with served() as client:
        answer = await client.post("/recommend", json={"items": [], "user_features": {"age": 3}})
    assert answer.status_code == 501
    assert "without features of users" in answer.json()["detail"]


@pytest.mark.parametrize("niche", [-1, -0.3, 1])
async def test_a_list_between_the_popular_and_the_niche(served, vae, niche):
    body = {"items": [103, 104, 105], "k": 5, "niche": niche}
    async with served() as client:
        asked = [client.post("/recommend", json=body | {"niche": lean}) for lean in (niche, 0)]
        lean, plain = [answer.json()["items"] for answer in await asyncio.gather(*asked)]
    history = sp.csr_matrix((np.ones(3, "f4"), ([0, 0, 0], [3, 4, 5])), shape=(1, 30))
    ids, scores = (part[0] for part in vae.recommend(history, 5, rerank=[Boost(-niche)]))
    assert [one["id"] - 100 for one in lean] == list(ids)
    np.testing.assert_allclose([one["score"] for one in lean], scores, rtol=1e-4)
    assert plain[0]["id"] == expected(vae, body["items"], 1)["item"][0]


async def test_a_list_of_different_genres(served, vae):
    body = {"items": [103, 104, 105], "k": 5, "niche": 0.2, "diversity": 0.6}
    async with served() as client:
        asked = [client.post(path, json=body) for path in ("/recommend", "/explain")]
        lists = [answer.json()["items"] for answer in await asyncio.gather(*asked)]
    history = sp.csr_matrix((np.ones(3, "f4"), ([0, 0, 0], [3, 4, 5])), shape=(1, 30))
    ids, _ = vae.recommend(history, 5, rerank=[Boost(-0.2), Diversity(0.6)])
    for items in lists:
        assert [one["id"] - 100 for one in items] == ids[0].tolist()


async def test_without_genres_only_who_wants_diversity_is_refused(data, tmp_path):
    rv.EASE().fit(data).save(tmp_path)
    async with client_of(tmp_path) as client:
        wishes = ({"diversity": 0.5}, {}, {"diversity": 0.1}, {"niche": 1})
        asked = [client.post("/recommend", json={"items": [103]} | wish) for wish in wishes]
        answers = await asyncio.gather(*asked)
        health = await client.get("/health")
    assert [answer.status_code for answer in answers] == [501, 200, 501, 200]
    assert "no column `genres`" in answers[0].json()["detail"]
    assert health.json()["no_genres"] == answers[0].json()["detail"]


async def test_what_is_allowed_and_denied(served, vae):
    """Each request has its own limits, also where they are answered together."""
    limits = (
        {"allow": [101, "102", 103, 999]},
        {"deny": [101, "102", 998]},
        {"allow": [101, 102, 104], "deny": [101, "x"]},
        {"allow": []},
        {},
    )
    async with served() as client:
        asked = [client.post("/recommend", json={"items": [103], "k": 30} | one) for one in limits]
        answers = [answer.json() for answer in await asyncio.gather(*asked)]
    lists = [[one["id"] for one in answer["items"]] for answer in answers]
    everything = list(expected(vae, [103], 30)["item"])
    assert lists[4] == everything
    assert lists[0] == [item for item in everything if item in (101, 102)]
    assert lists[1] == [item for item in everything if item not in (101, 102)]
    assert lists[2] == [item for item in everything if item in (102, 104)]
    assert lists[3] == []
    assert [answer["unknown"] for answer in answers] == [[999], [998], ["x"], [], []]


async def test_lists_end_where_items_do(served):
    async with served() as client:
        answer = await client.post("/recommend", json={"items": [103, 104], "k": MAX_K})
        similar = await client.get("/similar", params={"item": "103", "k": MAX_K})
    assert len(answer.json()["items"]) == 28
    assert len(similar.json()["items"]) == 29


async def test_ids_may_be_strings(tmp_path):
    matrix = sp.csr_matrix(np.tri(6, 5, dtype=np.float32))
    items = pd.DataFrame(index=pd.Index(["1", "2", "3", "a/b", "c d"], name="item"))
    users = pd.DataFrame(index=pd.RangeIndex(6, name="user"))
    rv.ItemKNN().fit(rv.Interactions(matrix, users, items)).save(tmp_path)
    async with client_of(tmp_path) as client:
        answer = await client.post("/recommend", json={"items": [1, "2", "a/b"]})
        similar = await client.get("/similar", params={"item": "a/b", "k": 2})
        found = await client.get("/items", params={"q": "C"})
    assert {one["id"] for one in answer.json()["items"]} == {"3", "c d"}
    assert answer.json()["unknown"] == []
    assert "a/b" not in {one["id"] for one in similar.json()["items"]}
    assert found.json() == {"items": [{"id": "c d", "title": None}]}


async def test_similar_items_are_the_librarys(served, vae, data):
    async with served() as client:
        answer = await client.get("/similar", params={"item": 103, "k": 4})
        unknown = await client.get("/similar", params={"item": 3})
    columns, scores = vae.similar_items([3], 4)
    assert [one["id"] for one in answer.json()["items"]] == list(data.item_ids[columns[0]])
    similarities = [one["score"] for one in answer.json()["items"]]
    np.testing.assert_allclose(similarities, scores[0], rtol=1e-5)
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "there is no item '3'"})


async def test_encode_gives_what_the_library_gives(served, vae):
    async with served() as client:
        code = (await client.post("/encode", json={"items": [102], "weights": [3]})).json()
    history = sp.csr_matrix(([3.0], ([0], [2])), shape=(1, 30), dtype=np.float32)
    mean, logvar = vae.encode(history)
    np.testing.assert_allclose(code["mean"], mean[0], rtol=1e-5)
    np.testing.assert_allclose(code["log_variance"], logvar[0], rtol=1e-5)


async def test_a_code_without_variance(data, tmp_path):
    rv.MultDAE(hidden=(), latent=3, epochs=1, device="cpu").fit(data).save(tmp_path)
    async with client_of(tmp_path) as client:
        code = (await client.post("/encode", json={"items": [102]})).json()
    assert len(code["mean"]) == 3
    assert code["log_variance"] is None


async def test_what_a_model_can_not_do(data, tmp_path):
    rv.Popularity().fit(data).save(tmp_path)
    async with client_of(tmp_path) as client:
        encoded = await client.post("/encode", json={"items": [102]})
        similar = await client.get("/similar", params={"item": 102})
    assert (encoded.status_code, similar.status_code) == (501, 501)
    assert "use an autoencoder" in encoded.json()["detail"]
    assert "no notion of similar items" in similar.json()["detail"]


async def test_a_history_that_can_not_be_scored_harms_nobody(data, tmp_path):
    als = rv.ImplicitALS(factors=8, regularization=0.01, iterations=1, input="counts")
    als.fit(data).save(tmp_path)
    bodies = [{"items": [103] * n, "weights": [1e6] * n} for n in (1, 5000, 1)]
    async with client_of(tmp_path) as client:
        answers = await asyncio.gather(*(client.post("/recommend", json=b) for b in bodies))
    assert [answer.status_code for answer in answers] == [200, 422, 200]
    assert "lower the weights" in answers[1].json()["detail"][0]["msg"]


def test_a_model_of_known_users_only_is_refused(data, tmp_path):
    rv.ImplicitBPR(iterations=1, factors=2).fit(data).save(tmp_path)
    with pytest.raises(FoldInError, match="folds new users in"):
        create_app(tmp_path)


async def test_health_says_what_is_served(served, vae):
    async with served() as client:
        health = (await client.get("/health")).json()
    assert health.pop("loaded")
    assert health == {
        "status": "ok",
        "model": "mult-vae",
        "n_items": 30,
        "n_users": 60,
        "fingerprint": vae.fingerprint_,
        "no_latent_space": None,
        "no_genres": None,
        "user_features": [],
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"items": [103], "k": 0}',
        f'{{"items": [103], "k": {MAX_K + 1}}}',
        f'{{"items": [{"103, " * MAX_HISTORY} 103]}}',
        '{"items": [103], "weights": [1, 2]}',
        '{"items": [103], "weights": [0]}',
        '{"items": [103], "weights": [1e-7]}',
        '{"items": [103], "weights": [1e7]}',
        '{"items": [103], "weights": [NaN]}',
        '{"items": [103], "weights": [Infinity]}',
        '{"items": [true]}',
        '{"items": [1.5]}',
        '{"items": [null]}',
        f'{{"items": ["{"x" * 257}"]}}',
        r'{"items": ["\ud800"]}',
        f'{{"items": [{2**63}]}}',
        f'{{"items": [{"1" * 5000}]}}',
        '{"items": "103"}',
        '{"items": [103], "kk": 3}',
        '{"items": [103], "niche": 1.1}',
        '{"items": [103], "niche": NaN}',
        '{"items": [103], "niche": true}',
        '{"items": [103], "k": "3"}',
        "{}",
        "[]",
        "",
        "{",
        "[" * 100_000,
    ],
)
async def test_bad_requests_are_refused(served, body):
    header = {"content-type": "application/json"}
    async with served() as client:
        answer = await client.post("/recommend", content=body, headers=header)
        assert answer.status_code in (400, 422)
        assert len(answer.content) < 1000
        assert (await client.post("/recommend", json={"items": [103]})).status_code == 200


async def pieces(n_bytes):
    """A body whose length is not announced."""
    for _ in range(n_bytes // 1000 + 1):
        yield b" " * 1000


@pytest.mark.parametrize("content", [b" " * (MAX_BODY + 1), pieces])
async def test_a_body_too_large(served, content):
    content = content if isinstance(content, bytes) else content(MAX_BODY)
    async with served() as client:
        answer = await client.post("/recommend", content=content)
    assert answer.status_code == 413
    assert "shorter history" in answer.json()["detail"]


async def test_a_body_too_slow(served, monkeypatch):
    async def drop_by_drop():
        for byte in b'{"items": [103]}':
            yield bytes([byte])
            await asyncio.sleep(0.02)

    header = {"content-type": "application/json"}
    async with served() as client:
        patient = await client.post("/recommend", content=drop_by_drop(), headers=header)
        monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
        slow = await client.post("/recommend", content=drop_by_drop(), headers=header)
        assert (await client.post("/recommend", json={"items": [103]})).status_code == 200
    assert (patient.status_code, slow.status_code) == (200, 408)
    assert "within 30 seconds" in slow.json()["detail"]


async def test_the_longest_history_fits(served):
    items = list(range(MAX_HISTORY))
    async with served() as client:
        answer = await client.post("/recommend", json={"items": items, "weights": [1.5] * 10_000})
    assert len(answer.json()["unknown"]) == MAX_HISTORY - 30
    assert answer.json()["items"] == []


async def test_a_body_that_is_not_called_json(served):
    async with served() as client:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post("/recommend", content='{"items": [101]}', headers=form)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["msg"] == "it must be application/json"


async def test_titles_may_be_numbers(data, tmp_path):
    years = data.with_item_info(data.items[["title"]].assign(title=range(30)))
    rv.Popularity().fit(years).save(tmp_path)
    async with client_of(tmp_path) as client:
        found = await client.get("/items", params={"q": "29"})
        assert found.json()["items"][0]["title"] == "29"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic s\xe9cret".encode()}, 401),
        ({"Authorization": "Bearer sécret".encode()}, 401),
        ({"Authorization": "Bearer secret"}, 200),
    ],
)
async def test_a_token(served, header, code):
    async with served(token="secret") as client:
        answers = [
            await client.post("/recommend", json={"items": [103]}, headers=header),
            await client.post("/encode", json={"items": [103]}, headers=header),
            await client.get("/items", headers=header),
            await client.get("/similar", params={"item": 103}, headers=header),
            await client.get("/metrics", headers=header),
            await client.post("/explain", json={"items": [103]}, headers=header),
            await client.post("/place", json={"items": [103]}, headers=header),
            await client.get("/map", headers=header),
            await client.post(
                "/blend", json={"one": {"items": []}, "other": {"items": []}}, headers=header
            ),
        ]
        assert (await client.get("/health")).status_code == 200
    assert {answer.status_code for answer in answers} == {code}
    if code == 401:
        assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


async def test_openapi_examples_are_answered(served):
    async with served() as client:
        schema = (await client.get("/openapi.json")).json()
        assert set(schema["paths"]) == {
            *("/recommend", "/encode", "/similar", "/items", "/metrics", "/health"),
            *("/explain", "/blend", "/map", "/place"),
        }
        for path, methods in schema["paths"].items():
            if "post" not in methods:
                continue
            body = methods["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            (example,) = schema["components"]["schemas"][body.rpartition("/")[2]]["examples"]
            assert (await client.post(path, json=example)).status_code == 200
        for path in ("/similar", "/items", "/map"):
            first = schema["paths"][path]["get"]["parameters"][0]
            query = {first["name"]: first["schema"]["examples"][0]}
            assert (await client.get(path, params=query)).status_code in (200, 404)


async def test_metrics_count_requests_by_route_and_status(served):
    async with served() as client:
        await client.post("/recommend", json={"items": [103]})
        await client.post("/recommend", json={"items": [103], "k": 0})
        await client.get("/no/such/path")
        shown = (await client.get("/metrics")).text
    assert 'recvae_requests_total{path="/recommend",status="200"} 1.0' in shown
    assert 'recvae_requests_total{path="/recommend",status="422"} 1.0' in shown
    assert 'recvae_requests_total{path="other",status="404"} 1.0' in shown
    assert 'recvae_request_seconds_count{path="/recommend"} 2.0' in shown
    assert "recvae_batch_size_count 1.0" in shown


async def test_concurrent_requests_each_get_their_own_answer(served, vae):
    async with served(max_batch=8) as client:
        bodies = [{"items": [100 + n], "k": 1 + n % 7} for n in range(30)]
        answers = await asyncio.gather(*(client.post("/recommend", json=b) for b in bodies))
        shown = (await client.get("/metrics")).text
    for body, answer in zip(bodies, answers, strict=True):
        ids = [one["id"] for one in answer.json()["items"]]
        assert ids == list(expected(vae, body["items"], body["k"])["item"])
    (calls,) = [line for line in shown.splitlines() if line.startswith("recvae_batch_size_count")]
    assert 30 / 8 <= float(calls.split()[1]) < 30
