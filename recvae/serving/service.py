"""The service: a live model, the batchers that ask it, and what is counted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from recvae.serving.batching import Batcher
from recvae.serving.live import LiveModel
from recvae.serving.metrics import Metrics
from recvae.serving.schemas import (
    Code,
    History,
    Item,
    ListRequest,
    Recommendations,
    SearchRequest,
    SimilarItems,
    SimilarRequest,
)

MAX_WAITING = 1_000
"""Requests of a kind that may wait for the model."""
WATCH_SECONDS = 1.0
"""Between two looks at the model's folder."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Service:
    """Answers requests, those that come together in one forward pass.

    A whole batch is answered by the model that is live when it begins.
    """

    def __init__(self, live: LiveModel, max_batch: int) -> None:
        self.live = live
        self.metrics = Metrics()
        self._thread = ThreadPoolExecutor(1, "model")
        self._max_batch = max_batch
        self.recommend: Batcher[ListRequest, Recommendations] = self._batcher(
            lambda requests: live.now.recommend(requests)
        )
        self.encode: Batcher[History, Code] = self._batcher(
            lambda requests: live.now.encode(requests)
        )
        self.similar: Batcher[SimilarRequest, SimilarItems | None] = self._batcher(
            lambda requests: live.now.similar(requests)
        )

    async def search(self, request: SearchRequest) -> list[Item]:
        """Items by title, found beside the model's thread."""
        return await asyncio.to_thread(self.live.now.search, request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer requests, and follow the model's folder, for as long as this is entered."""
        batchers = (self.recommend, self.encode, self.similar)
        work = [batcher.run() for batcher in batchers]
        work.append(self.live.watch(WATCH_SECONDS, self._count_load))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._thread.shutdown()

    def _batcher(
        self, answer: Callable[[Sequence[Request]], Sequence[Answer]]
    ) -> Batcher[Request, Answer]:
        return Batcher(
            answer,
            self._thread,
            max_batch=self._max_batch,
            max_waiting=MAX_WAITING,
            on_batch=self.metrics.batch_size.observe,
        )

    def _count_load(self, success: bool) -> None:
        self.metrics.loads.labels(str(success).lower()).inc()
