"""The model is replaced while it is served."""

import asyncio
import shutil
from threading import Event

import pytest
from serving_client import until

import recvae as rv
from recvae.errors import MissingFileError
from recvae.saved.storage import MANIFEST
from recvae.serving import create_app, service
from recvae.serving.catalogue import Catalogue
from recvae.serving.served_model import ServedModel

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Look at the folder all the time."""
    monkeypatch.setattr(service, "WATCH_SECONDS", 0.01)


def serves(client, model: str):
    """Make a condition: whether a model of this name is served."""

    async def served() -> bool:
        return (await client.get("/health")).json()["model"] == model

    return served


async def shown(client) -> str:
    """The metrics."""
    return (await client.get("/metrics")).text


async def test_a_new_model_is_picked_up(served, folder, data):
    async with served() as client:
        before = (await client.post("/recommend", json={"items": [103]})).json()
        rv.Popularity().fit(data).save(folder)
        await until(serves(client, "popularity"))
        after = (await client.post("/recommend", json={"items": [103]})).json()
        assert 'recvae_model_loads_total{success="true"} 1.0' in await shown(client)
    assert before != after


async def test_an_update_drops_no_request(served, folder, data):
    model = rv.EASE().fit(data, keep_data=True)
    model.save(folder)
    today = rv.read_interactions({"user": [60] * 3, "item": [103, 104, 999]})
    codes: list[int] = []

    async def ask(client) -> None:
        while True:
            codes.append((await client.post("/recommend", json={"items": [103]})).status_code)

    async def knows_the_new_item() -> bool:
        return (await client.get("/health")).json()["n_items"] == len(data.items) + 1

    async with served() as client:
        asking = [asyncio.ensure_future(ask(client)) for _ in range(3)]
        assert not await knows_the_new_item()
        await asyncio.to_thread(lambda: model.update(today).save(folder))
        await until(knows_the_new_item)
        answer = await client.post("/recommend", json={"items": [999]})
        for one in asking:
            one.cancel()
    assert answer.status_code == 200
    assert len(codes) > 3
    assert set(codes) == {200}


async def test_what_is_under_way_is_finished_by_the_old_model(served, folder, data, monkeypatch):
    begun, released = Event(), Event()
    histories = Catalogue.histories

    def held_up(catalogue, requests):
        begun.set()
        assert released.wait(60)
        return histories(catalogue, requests)

    async with served() as client:
        expected = (await client.post("/recommend", json={"items": [103]})).json()
        monkeypatch.setattr(Catalogue, "histories", held_up)
        under_way = asyncio.ensure_future(client.post("/recommend", json={"items": [103]}))
        await asyncio.to_thread(begun.wait, 60)
        rv.Popularity().fit(data).save(folder)
        await until(serves(client, "popularity"))
        assert not under_way.done()
        released.set()
        assert (await under_way).json() == expected


async def test_more_requests_than_may_wait_are_told_so(served, monkeypatch):
    released = Event()
    recommend = ServedModel.recommend
    monkeypatch.setattr(service, "MAX_WAITING", 2)
    monkeypatch.setattr(
        ServedModel, "recommend", lambda *asked: released.wait(60) and recommend(*asked)
    )
    async with served(max_batch=1) as client:
        answers = [
            asyncio.ensure_future(client.post("/recommend", json={"items": [103]}))
            for _ in range(9)
        ]
        (refused, *_), _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert (refused.result().status_code, refused.result().headers["retry-after"]) == (503, "1")
        released.set()
        codes = [answer.status_code for answer in await asyncio.gather(*answers)]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 2


@pytest.mark.parametrize("damage", ["manifest", "weights", "unfit"])
async def test_a_model_that_can_not_be_served_leaves_the_old_one(
    served, folder, data, vae, damage, caplog
):
    async def failed() -> bool:
        return 'recvae_model_loads_total{success="false"} 1.0' in await shown(client)

    async with served() as client:
        expected = (await client.post("/recommend", json={"items": [103]})).json()
        if damage == "manifest":
            (folder / MANIFEST).write_text("{")
        elif damage == "weights":
            next(folder.glob("weights-*")).write_bytes(b"")
            (folder / MANIFEST).write_text((folder / MANIFEST).read_text() + "\n")
        else:
            rv.ImplicitBPR(iterations=1, factors=2).fit(data).save(folder)
        await until(failed)
        assert (await client.post("/recommend", json={"items": [103]})).json() == expected
        assert "the old one still is" in caplog.text
        rv.Popularity().fit(data).save(folder)
        await until(serves(client, "popularity"))


@pytest.mark.parametrize("last", ["weights", MANIFEST])  # both models have the same items file
async def test_a_model_that_is_copied_file_by_file(served, folder, data, tmp_path, last):
    rv.Popularity().fit(data).save(tmp_path / "new")
    files = sorted(tmp_path.glob("new/*.*"), key=lambda path: path.name.startswith(last))
    async with served() as client:
        for file in files:
            await asyncio.sleep(0.1)
            assert await serves(client, "mult-vae")()
            half = file.read_bytes()[: file.stat().st_size // 2]
            (folder / file.name).write_bytes(half)
            await asyncio.sleep(0.1)
            shutil.copy2(file, folder)
        await until(serves(client, "popularity"))


async def test_a_folder_that_is_gone_for_a_while(served, folder, data, tmp_path):
    async with served() as client:
        folder.rename(tmp_path / "aside")
        await asyncio.sleep(0.05)
        assert (await client.post("/recommend", json={"items": [103]})).status_code == 200
        rv.Popularity().fit(data).save(folder)
        await until(serves(client, "popularity"))


def test_no_model_to_begin_with(tmp_path):
    with pytest.raises(MissingFileError, match="no model"):
        create_app(tmp_path)
