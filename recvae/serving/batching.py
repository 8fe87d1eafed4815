"""Micro-batching: requests that wait at the same time are answered by one call."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from itertools import islice
from queue import Empty, Queue
from typing import Generic, TypeAlias, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Waiting: TypeAlias = tuple[Request, Future[Answer]]


class Batcher(Generic[Request, Answer]):
    """Calls a function in a thread with all requests that wait, one call after another.

    If no call is running, a request is answered at once and alone: no request waits for others to
    come. Requests that come during a call make the next batch. They may come from any event loop.
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
        self._waiting: Queue[Waiting[Request, Answer]] = Queue(max_waiting)

    async def __call__(self, request: Request) -> Answer:
        """Wait for the answer to a request.

        Raises:
            queue.Full: too many wait already.
        """
        future: Future[Answer] = Future()
        self._waiting.put_nowait((request, future))
        # A turn for each request; it may find that an earlier turn has answered this one, too.
        self._thread.submit(self._take_turn)
        return await asyncio.wrap_future(future)

    def _take_turn(self) -> None:
        """Answer as many requests as wait now, up to a batch."""
        if batch := list(islice(self._taken(), self._max_batch)):
            self._answer_all(batch)

    def _taken(self) -> Iterator[Waiting[Request, Answer]]:
        """Requests out of the queue, until it is empty; those that were cancelled are dropped."""
        while True:
            try:
                request, future = self._waiting.get_nowait()
            except Empty:
                return
            if future.set_running_or_notify_cancel():
                yield request, future

    def _answer_all(self, batch: Sequence[Waiting[Request, Answer]]) -> None:
        """Answer a batch; if that fails, answer each request alone, so that only bad ones fail."""
        self._on_batch(len(batch))
        requests, futures = zip(*batch, strict=True)
        try:
            for future, answer in zip(futures, self._answer(requests), strict=True):
                future.set_result(answer)
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    self._answer_all([one])
            else:
                futures[0].set_exception(error)
