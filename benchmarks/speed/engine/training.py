"""Seconds of a training epoch: Mult-VAE, items - 600 - 200 - 600 - items, 500 users a batch."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch

import recvae as rv
from benchmarks.speed.clock import alone, each_epoch, seconds_of, spread
from benchmarks.speed.engine import plain
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import ML_20M, like_ml_20m

ROUNDS, EPOCHS, STEPS = 5, 4, 20
"""Each way has its turn in each round: how fast a machine is changes within minutes."""
WAYS: dict[str, Callable[[float], list[float]]] = {
    "plain, float32": lambda scale: plain_steps(scale, autocast=False),
    "plain, bfloat16 autocast, fused Adam": lambda scale: plain_steps(scale, autocast=True),
    "recvae, float32": lambda scale: recvae_steps(scale, "float32"),
    "recvae, bfloat16": lambda scale: recvae_steps(scale, "bfloat16"),
    "the three largest products alone, bfloat16": lambda scale: products(scale),
}


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each way in processes of its own, then the whole of an epoch with the whole data."""
    found: dict[str, list[tuple[list[float], float]]] = {name: [] for name in WAYS}
    for name in list(WAYS) * ROUNDS:
        found[name].append(alone(steps, name, scale))
    for name, turns in found.items():
        epochs = [second * ML_20M[0] * scale / BATCH for seconds, _ in turns for second in seconds]
        yield {"way": name, **spread(epochs), "gigabytes": round(max(peak for _, peak in turns), 2)}
    seconds, gigabytes = alone(whole_epoch, scale)
    yield {"way": "recvae, all users once", **spread(seconds), "gigabytes": round(gigabytes, 2)}


def steps(name: str, scale: float) -> list[float]:
    """Seconds of a step, several times."""
    return WAYS[name](scale)


def recvae_steps(scale: float, precision: Literal["float32", "bfloat16"]) -> list[float]:
    """Those of epochs of a few batches."""
    matrix = like_ml_20m(scale)[: STEPS * BATCH]
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH, precision=precision).fit(matrix)
    n_steps = matrix.shape[0] / BATCH
    return [seconds / n_steps for seconds in each_epoch(model)[1:]]


def whole_epoch(scale: float) -> list[float]:
    """Those of an epoch, with nothing left out."""
    model = rv.MultVAE(epochs=1, batch_size=BATCH).fit(like_ml_20m(scale))
    return each_epoch(model)


def plain_steps(scale: float, *, autocast: bool) -> list[float]:
    """Those of the plain way."""
    matrix = like_ml_20m(scale)[: STEPS * BATCH]
    return plain.train(matrix, autocast=autocast)[2:]


def products(scale: float, users: int = BATCH, device: str = "cpu") -> list[float]:
    """hidden x weights, and the gradients of both."""
    width, n_items = 600, int(ML_20M[1] * scale)
    generator = torch.Generator(device).manual_seed(0)
    sizes = (users, width), (n_items, width), (users, n_items)
    hidden, weights, shares = (
        torch.randn(size, generator=generator, device=device).bfloat16() for size in sizes
    )
    outputs = shares.clone(), hidden.clone(), weights.clone()

    def multiply() -> None:
        """A step's three largest products."""
        torch.mm(hidden, weights.T, out=outputs[0])
        torch.mm(shares, weights, out=outputs[1])
        torch.mm(shares.T, hidden, out=outputs[2])
        if device == "cuda":
            torch.cuda.synchronize()

    return seconds_of(multiply, STEPS)[2:]
