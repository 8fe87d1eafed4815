"""Micro-batches, by hand: the worker is held up while requests come."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Full
from threading import Event

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recvae.serving.batching import Batcher
from recvae.serving.schemas import ListRequest
from recvae.serving.served_model import ServedModel

pytestmark = pytest.mark.anyio


class Worker:
    """Doubles numbers in batches that it notes; the first waits to be released."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.released = Event()

    def __call__(self, requests):
        """Answer a batch."""
        self.batches.append(list(requests))
        assert self.released.wait(60)
        if 13 in requests:
            raise ValueError("unlucky")
        return [2 * request for request in requests]


@contextmanager
def running(worker, max_batch=4, max_waiting=100):
    """Make a batcher, and list the sizes of its batches."""
    sizes: list[int] = []
    with ThreadPoolExecutor(1) as thread:
        yield (
            Batcher(
                worker, thread, max_batch=max_batch, max_waiting=max_waiting, on_batch=sizes.append
            ),
            sizes,
        )
        worker.released.set()


async def ask(batcher, numbers):
    """Ask for each number, the first alone, the others while it is answered."""
    asked = [asyncio.ensure_future(batcher(number)) for number in numbers]
    await asyncio.sleep(0)
    return asked


async def begun(worker):
    """Wait until the worker has the first batch."""
    while not worker.batches:
        await asyncio.sleep(0.001)


async def waiting(batcher, number):
    """Wait until so many requests wait."""
    while batcher._waiting.qsize() < number:
        await asyncio.sleep(0.001)


async def test_what_waits_is_answered_together_and_in_order():
    worker = Worker()
    with running(worker) as (batcher, sizes):
        first = await ask(batcher, [0])
        await begun(worker)
        others = await ask(batcher, range(1, 11))
        worker.released.set()
        assert await asyncio.gather(*first, *others) == list(range(0, 22, 2))
    assert worker.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert sizes == [1, 4, 4, 2]


async def test_batches_of_one():
    worker = Worker()
    worker.released.set()
    with running(worker, max_batch=1) as (batcher, sizes):
        assert await asyncio.gather(*await ask(batcher, range(5))) == [0, 2, 4, 6, 8]
    assert sizes == [1] * 5


async def test_an_error_is_that_of_its_request_alone():
    worker = Worker()
    with running(worker, max_batch=2) as (batcher, _):
        first = await ask(batcher, [0])
        await begun(worker)
        others = await ask(batcher, [12, 13, 14])
        worker.released.set()
        answers = await asyncio.gather(*first, *others, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["0", "24", "unlucky", "28"]


async def test_more_than_may_wait_are_refused():
    worker = Worker()
    with running(worker, max_waiting=3) as (batcher, _):
        first = await ask(batcher, [0])
        await begun(worker)
        others = await ask(batcher, range(1, 5))
        worker.released.set()
        *answers, refused = await asyncio.gather(*first, *others, return_exceptions=True)
    assert answers == [0, 2, 4, 6]
    assert isinstance(refused, Full)


async def test_who_no_longer_waits_harms_nobody():
    worker = Worker()
    with running(worker) as (batcher, _):
        first = await ask(batcher, [0])
        await begun(worker)
        gone, there = await ask(batcher, [1, 2])
        gone.cancel()
        await asyncio.sleep(0)  # until the request knows of it
        worker.released.set()
        assert await asyncio.gather(*first, there) == [0, 4]
    assert gone.cancelled()
    assert worker.batches == [[0], [2]]


def test_requests_of_several_event_loops_share_a_batch():
    worker = Worker()
    with running(worker) as (batcher, _), ThreadPoolExecutor(4) as loops:
        first = loops.submit(asyncio.run, batcher(0))
        asyncio.run(begun(worker))
        others = [loops.submit(asyncio.run, batcher(number)) for number in (1, 2, 3)]
        asyncio.run(waiting(batcher, 3))
        worker.released.set()
        assert [one.result(60) for one in (first, *others)] == [0, 2, 4, 6]
    assert list(map(sorted, worker.batches)) == [[0], [1, 2, 3]]


histories = st.lists(st.integers(98, 131), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(histories, st.integers(1, 40)), min_size=1, max_size=9))
@pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning")
def test_an_answer_does_not_depend_on_its_company(vae, asked):
    model = ServedModel(vae)
    requests = [ListRequest(items=items, k=k) for items, k in asked]
    for request, together in zip(requests, model.recommend(requests), strict=True):
        (alone,) = model.recommend([request])
        assert together.unknown == alone.unknown
        one, other = ([item.score for item in answer.items] for answer in (together, alone))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
