"""Micro-batching: requests that wait at the same time are answered by one call."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeAlias, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Waiting: TypeAlias = tuple[Request, asyncio.Future[Answer]]


class Batcher(Generic[Request, Answer]):
    """Calls a function in a thread with all requests that wait, one call after another.

    If no call is running, a request is answered at once and alone: no request waits for others to
    come. Requests that come during a call make the next batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Request]], Sequence[Answer]],
        thread: Executor,
        *,
        max_batch: int,
        max_waiting: int,
        on_batch: Callable[[int], None],
    ) -> None:
        """Take the function and the thread to call it in.

        Args:
            answer: takes one request or more and returns an answer to each.
            thread: runs it; batchers with the same thread take turns.
            max_batch: number of requests in a call, at most.
            max_waiting: number of requests that may wait; more are refused.
            on_batch: called with the number of requests of each call.
        """
        self._answer = answer
        self._thread = thread
        self._max_batch = max_batch
        self._on_batch = on_batch
        self._waiting: asyncio.Queue[Waiting[Request, Answer]] = asyncio.Queue(max_waiting)

    async def __call__(self, request: Request) -> Answer:
        """Wait for the answer to a request.

        Raises:
            asyncio.QueueFull: too many wait already.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((request, future))
        return await future

    async def run(self) -> None:
        """Answer requests until this task is cancelled."""
        while True:
            # Wait for one request, then take as many as wait already, without waiting for more.
            batch = [await self._waiting.get()]
            while len(batch) < self._max_batch and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._answer_all(batch)

    async def _answer_all(self, batch: list[Waiting[Request, Answer]]) -> None:
        """Answer a batch; if that fails, answer each request alone, so that only bad ones fail."""
        self._on_batch(len(batch))
        requests, futures = [one for one, _ in batch], [future for _, future in batch]
        call = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, requests)
        try:
            # A future is done already if its request was cancelled.
            for future, answer in zip(futures, await call, strict=True):
                if not future.done():
                    future.set_result(answer)
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    await self._answer_all([one])
            elif not futures[0].done():
                futures[0].set_exception(error)
