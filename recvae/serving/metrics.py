"""Metrics in Prometheus' format."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one server, and the metrics of its process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.requests = counter("recvae_requests", "Requests answered.", ["path", "status"])
        self.seconds = histogram(
            "recvae_request_seconds",
            "Seconds from a request to its answer.",
            ["path"],
            buckets=SECONDS,
        )
        self.batch_size = histogram(
            "recvae_batch_size", "Requests answered by one call of the model.", buckets=SIZES
        )
        self.unknown_items = counter("recvae_unknown_items", "Items of histories skipped.")
        self.loads = counter("recvae_model_loads", "New models picked up.", ["success"])
