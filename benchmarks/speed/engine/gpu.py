"""Users a second in training at NVIDIA's batch, on a GPU if there is one, and where its time goes.

The shape of ML-20M, 24,576 users a batch (see "Large batches" in docs/performance.md).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

import recvae as rv
from benchmarks.speed.clock import alone, each_epoch, spread
from benchmarks.speed.engine.quality import WAYS
from benchmarks.speed.engine.training import products
from benchmarks.speed.generated import like_ml_20m

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
EPOCHS, SHOWN = 4, 8
OPTIONS = WAYS["large batches"] | {"device": DEVICE}


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Speed and memory, the share of what the three largest products allow, then the operations."""
    (users_per_second, gigabytes), _ = alone(train, scale)
    users = int(scale * OPTIONS["batch_size"])
    seconds, _ = alone(products, scale, users, DEVICE)
    speed = spread(users_per_second)
    allowed = users / spread(seconds)["median"]
    yield {"what": f"users a second, {DEVICE}", **speed}
    yield {"what": "gigabytes of tensors at the peak", "median": gigabytes}
    yield {"what": "share of the products' speed", "median": round(speed["median"] / allowed, 3)}
    for operation, share in alone(operations, scale)[0]:
        yield {"what": operation, "median": share}


def train(scale: float) -> tuple[list[float], float | None]:
    """Users a second of each epoch but the first; what the GPU's tensors took."""
    model = rv.MultVAE(**OPTIONS | {"epochs": EPOCHS}).fit(like_ml_20m(scale))
    peak = round(torch.cuda.max_memory_allocated() / 2**30, 2) if DEVICE == "cuda" else None
    return each_epoch(model, "users_per_second")[1:], peak


def operations(scale: float) -> list[tuple[str, float]]:
    """The operations that take most of an epoch, and their shares."""
    matrix = like_ml_20m(scale)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if DEVICE == "cuda" else [])]
    with profile(activities=activities) as profiled:
        rv.MultVAE(**OPTIONS | {"epochs": 1}).fit(matrix)
    clock = "self_device_time_total" if DEVICE == "cuda" else "self_cpu_time_total"
    times = {event.key: getattr(event, clock) for event in profiled.key_averages()}
    longest = sorted(times, key=lambda key: -times[key])[:SHOWN]
    return [(key, round(times[key] / sum(times.values()), 3)) for key in longest]
