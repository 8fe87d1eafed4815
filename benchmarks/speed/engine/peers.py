"""Mult-VAE of other libraries, with their own code, and ours: an epoch, lists, metrics, memory.

Of each user of a part of the matrix shaped like ML-20M a tenth of the items is held out. Seconds of
an epoch are scaled up to all users; those of EASE are not.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scipy.sparse as sp

import recvae as rv
from benchmarks.speed.clock import alone, each_epoch, seconds_of, spread
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import ML_20M, like_ml_20m

FOLDER, BUILD = Path(__file__).parents[1] / "peers", Path("build/peers")
PEERS: dict[str, tuple[str, str, list[str]]] = {
    "cornac": (sys.executable, "cornac_vaecf.py", []),
    "recbole": (sys.executable, "recbole_multivae.py", ["recbole==1.2.1"]),
    "warprec": ("python3.12", "warprec_models.py", []),
}
"""Python, script, and packages whose own requirements no longer fit together."""
N_USERS, EPOCHS, REPEATS, K = 10_000, 3, 3, 100
METRICS = ("ndcg@100", "full-recall@20")
"""As the others define them."""


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each in a process of its own."""
    holdout = rv.split_interactions(like_ml_20m(scale)[: int(N_USERS * scale)]).test
    whole = ML_20M[0] * scale / holdout.fold_in.shape[0]
    for name, (python, script, others) in PEERS.items():
        yield from lines(name, run(environment(name, python, others), script, holdout), whole)
    found, gigabytes = alone(ours, holdout)
    ease, _ = alone(our_ease, holdout.fold_in)
    yield from lines("recvae", {**found, "gigabytes": gigabytes, "ease": ease}, whole)


def lines(way: str, found: dict[str, Any], whole: float) -> Iterator[dict[str, Any]]:
    """What was found of a library."""
    seconds = [whole * second for second in found["seconds"]]
    sizes = {"users": found["users"], "items": found["items"]}
    yield {"way": way, "what": "an epoch, s", **spread(seconds), **sizes}
    yield {"way": way, "what": "lists a second", **spread(found["lists"])}
    yield {"way": way, "what": "users judged a second", **spread(found["judged"])}
    yield {"way": way, "what": "GB", **spread([found["gigabytes"]])}
    if "ease" in found:
        yield {"way": way, "what": "EASE, s", **spread(found["ease"])}


def ours(holdout: rv.Holdout) -> dict[str, Any]:
    """The same of recvae."""
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH).fit(holdout.fold_in)
    n_users, n_items = holdout.fold_in.shape
    lists = seconds_of(lambda: model.recommend(holdout.fold_in, K), REPEATS)
    judged = seconds_of(lambda: rv.evaluate(model, holdout, METRICS), REPEATS)
    return {
        "users": n_users,
        "items": n_items,
        "seconds": each_epoch(model),
        "lists": [n_users / seconds for seconds in lists],
        "judged": [n_users / seconds for seconds in judged],
    }


def our_ease(matrix: sp.csr_matrix) -> list[float]:
    """Seconds of the closed form."""
    return seconds_of(lambda: rv.EASE(regularization=500.0).fit(matrix), 1)


def environment(name: str, base: str, others: list[str]) -> Path:
    """The Python of a peer's environment, made if it is not there."""
    python = BUILD / name / "bin" / "python"
    if not (BUILD / name / "ready").is_file():
        install = (python, "-m", "pip", "install", "--quiet")
        call(base, "-m", "venv", BUILD / name)
        call(*install, "-r", FOLDER / f"{name}.txt")
        if others:
            call(*install, "--no-deps", *others, "setuptools<70")
        (BUILD / name / "ready").touch()
    return python


def run(python: Path, script: str, holdout: rv.Holdout) -> dict[str, Any]:
    """What a script printed last of some users."""
    with tempfile.TemporaryDirectory() as folder:
        sp.save_npz(Path(folder) / "known.npz", holdout.fold_in)
        sp.save_npz(Path(folder) / "held_out.npz", holdout.held_out)
        path = (FOLDER / script).absolute()
        matrices = ("known.npz", "held_out.npz")
        printed = call(python.absolute(), path, *matrices, BATCH, EPOCHS, folder=folder)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def call(*words: object, folder: str | None = None) -> str:
    """Run a command, in a folder where it may leave what it likes; what it printed."""
    command = list(map(str, words))
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder)
    return done.stdout
