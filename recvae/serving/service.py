"""The service: a live model, the batchers that ask it, and the metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from recvae.engine import threads
from recvae.serving import schemas
from recvae.serving.batching import Answer, Batcher, Request
from recvae.serving.live_model import LiveModel
from recvae.serving.metrics import Metrics
from recvae.serving.served_model import ServedModel

MAX_WAITING = 1_000
"""How many requests of a kind may wait for the model."""
MAX_COSTLY = 8
"""How many requests are answered by one call, where each history is scored many times."""
WATCH_SECONDS = 1.0
"""The time between two checks of the model's folder."""

Found = TypeVar("Found", bound=schemas.OfHistory)


class Service:
    """Answers requests; those that wait at the same time are answered in one forward pass.

    A whole batch is answered by the model that is live when it begins. Requests for the map, which
    takes a while to make, run in another thread than the model's.
    """

    def __init__(self, live: LiveModel, max_batch: int) -> None:
        self.live = live
        self.metrics = Metrics()
        self._watching: asyncio.Task[None] | None = None
        model, maps = ThreadPoolExecutor(1, "model"), ThreadPoolExecutor(1, "map")
        few = min(max_batch, MAX_COSTLY)
        self.recommend = self._batcher(lambda now: now.recommend, model, max_batch)
        self.encode = self._batcher(lambda now: now.encode, model, max_batch)
        self.similar = self._batcher(lambda now: now.similar, model, max_batch)
        self.explain = self._batcher(lambda now: now.explainer.explain, model, few)
        self.blend = self._batcher(lambda now: now.explainer.blend, model, few)
        self.draw = self._batcher(lambda now: now.map.draw, maps, few)
        self.place = self._batcher(lambda now: now.map.place, maps, max_batch)

    async def of_history(self, answer: Batcher[Request, Found], request: Request) -> Found:
        """Answer a request with a history, and count its unknown items."""
        if isinstance(request, schemas.Wishes):
            self.live.now.catalogue.require(request)  # or all that are answered with it would fail
        found = await answer(request)
        self.metrics.unknown_items.inc(len(found.unknown))
        return found

    async def search(self, request: schemas.SearchRequest) -> list[schemas.Item]:
        """Find items by title, in another thread than the model's."""
        return await asyncio.to_thread(self.live.now.catalogue.find, request.q, request.k)

    def watch(self) -> None:
        """See to it that the running loop watches the model's folder, until it ends."""
        now, watching = asyncio.get_running_loop(), self._watching
        if watching is None or watching.done() or watching.get_loop() is not now:
            self._watching = now.create_task(self.live.watch(WATCH_SECONDS, self._count_load))

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The life of a server: its model is replaced even if nobody asks."""
        self.watch()
        with threads.considerate():
            yield
        if self._watching is not None:
            self._watching.cancel()

    def _batcher(
        self,
        method_of: Callable[[ServedModel], Callable[[Sequence[Request]], Sequence[Answer]]],
        thread: Executor,
        max_batch: int,
    ) -> Batcher[Request, Answer]:
        """A batcher that calls a method of the live model with all requests that wait for it."""
        return Batcher(
            lambda requests: method_of(self.live.now)(requests),
            thread,
            max_batch=max_batch,
            max_waiting=MAX_WAITING,
            on_batch=self.metrics.batch_size.observe,
        )

    def _count_load(self, success: bool) -> None:
        self.metrics.loads.labels(str(success).lower()).inc()
