"""Users a second, from a history to a list of 100 items: Mult-VAE, and ALS of `implicit`."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
import torch
from implicit.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

import recvae as rv
from benchmarks.speed.clock import alone, seconds_of, spread
from benchmarks.speed.generated import like_ml_20m
from recvae.ranking import shortlist

N_USERS, N_TRAINED_ON, BLOCK, REPEATS, K = 20_000, 2_000, 1_000, 3, 100
WAYS = ("Mult-VAE", "Mult-VAE, all in float32", "ALS, users computed anew", "ALS, users known")


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each way in a process of its own."""
    for way in WAYS:
        rates, gigabytes = alone(als if way.startswith("ALS") else vae, way, scale)
        yield {"way": way, "unit": "users/s", **spread(rates), "gigabytes": round(gigabytes, 2)}
    yield {"way": "metrics of 10,000 users, beside scoring", "unit": "s", **metrics(scale)}


def vae(way: str, scale: float) -> list[float]:
    """Of a model hardly trained: how fast it is has nothing to do with that."""
    matrix = like_ml_20m(scale, N_USERS)
    model = rv.MultVAE(epochs=1).fit(matrix[:N_TRAINED_ON])
    if "float32" in way:
        shortlist.LEAST_USERS = N_USERS + 1
    return rates(lambda: model.recommend(matrix, K), matrix.shape[0])


def als(way: str, scale: float) -> list[float]:
    """Of 256 factors, in blocks of users as its authors advise, without a second set of threads."""
    matrix = like_ml_20m(scale, N_USERS)
    model = AlternatingLeastSquares(factors=256, iterations=1, num_threads=torch.get_num_threads())
    anew = "anew" in way
    with threadpool_limits(1, "blas"):
        model.fit(matrix, show_progress=False)

        def recommend() -> None:
            """Lists of all users."""
            for start in range(0, matrix.shape[0], BLOCK):
                rows = np.arange(start, min(start + BLOCK, matrix.shape[0]))
                model.recommend(rows, matrix[rows], N=K, recalculate_user=anew)

        return rates(recommend, matrix.shape[0])


def rates(recommend: Callable[[], object], n_users: int) -> list[float]:
    """Users a second, several times."""
    return [n_users / seconds for seconds in seconds_of(recommend, REPEATS)]


def metrics(scale: float) -> dict[str, float]:
    """Seconds of an evaluation but for the lists."""
    data = rv.Interactions.from_matrix(like_ml_20m(scale, 2 * N_USERS))
    split = rv.split_users(data, n_validation=100, n_test=int(10_000 * scale))
    model = rv.MultVAE(epochs=1).fit(split.train)
    seconds = []
    for _ in range(REPEATS):
        start = perf_counter()
        report = rv.evaluate(model, split.test)
        seconds.append(perf_counter() - start - report.seconds)
    return spread(seconds)
