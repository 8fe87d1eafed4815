"""Seconds of a training epoch of Mult-VAE by other libraries, with their own code, and by ours.

Over 10,000 users of the matrix shaped like ML-20M, scaled up to all of them; EASE is not scaled up.
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
N_USERS, EPOCHS = 10_000, 3


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each in a process of its own."""
    matrix = like_ml_20m(scale)[: int(N_USERS * scale)]
    whole = ML_20M[0] * scale / matrix.shape[0]
    for name, (python, script, others) in PEERS.items():
        found = run(environment(name, python, others), FOLDER / script, matrix)
        sizes = {"users": found["users"], "items": found["items"]}
        yield {"way": name, **spread([whole * second for second in found["seconds"]]), **sizes}
        if "ease" in found:
            yield {"way": f"{name}, EASE", **spread(found["ease"]), **sizes}
    sizes = {"users": matrix.shape[0], "items": matrix.shape[1]}
    seconds, _ = alone(ours, matrix)
    yield {"way": "recvae", **spread([whole * second for second in seconds]), **sizes}
    seconds, _ = alone(our_ease, matrix)
    yield {"way": "recvae, EASE", **spread(seconds), **sizes}


def ours(matrix: sp.csr_matrix) -> list[float]:
    """Seconds of each epoch."""
    return each_epoch(rv.MultVAE(epochs=EPOCHS, batch_size=BATCH).fit(matrix))


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


def run(python: Path, script: Path, matrix: sp.csr_matrix) -> dict[str, Any]:
    """What a script printed last about a matrix."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.npz"
        sp.save_npz(path, matrix)
        printed = call(python.absolute(), script.absolute(), path, BATCH, EPOCHS, folder=folder)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def call(*words: object, folder: str | None = None) -> str:
    """Run a command, in a folder where it may leave what it likes; what it printed."""
    command = list(map(str, words))
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder)
    return done.stdout
