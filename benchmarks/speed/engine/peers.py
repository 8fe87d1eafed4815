"""Seconds of a training epoch of Mult-VAE by other libraries, with their own code, and by ours.

Over 10,000 users of the matrix shaped like ML-20M, scaled up to all of them.
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
from benchmarks.speed.engine.lab import BATCH, ML_20M, alone, like_ml_20m, spread

FOLDER, BUILD = Path(__file__).parents[1] / "peers", Path("build/peers")
PEERS = {"cornac": ("cornac_vaecf.py", []), "recbole": ("recbole_multivae.py", ["recbole==1.2.1"])}
"""Script, and packages whose own requirements no longer fit together."""
N_USERS, EPOCHS = 10_000, 3


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each in a process of its own."""
    matrix = like_ml_20m(scale)[: int(N_USERS * scale)]
    whole = ML_20M[0] * scale / matrix.shape[0]
    for name, (script, others) in PEERS.items():
        found = run(environment(name, others), FOLDER / script, matrix)
        seconds = [whole * second for second in found["seconds"]]
        yield {"way": name, **spread(seconds), "users": found["users"], "items": found["items"]}
    seconds, _ = alone(ours, matrix)
    sizes = {"users": matrix.shape[0], "items": matrix.shape[1]}
    yield {"way": "recvae", **spread([whole * second for second in seconds]), **sizes}


def ours(matrix: sp.csr_matrix) -> list[float]:
    """Seconds of each epoch."""
    return rv.MultVAE(epochs=EPOCHS, batch_size=BATCH).fit(matrix).history_["seconds"].tolist()


def environment(name: str, others: list[str]) -> Path:
    """The Python of a peer's environment, made if it is not there."""
    python = BUILD / name / "bin" / "python"
    if not (BUILD / name / "ready").is_file():
        subprocess.run([sys.executable, "-m", "venv", BUILD / name], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "-r", FOLDER / f"{name}.txt"], check=True)
        if others:
            subprocess.run([*install, "--no-deps", *others, "setuptools<70"], check=True)
        (BUILD / name / "ready").touch()
    return python


def run(python: Path, script: Path, matrix: sp.csr_matrix) -> dict[str, Any]:
    """What a script printed last about a matrix."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.npz"
        sp.save_npz(path, matrix)
        command = [python.absolute(), script.absolute(), path, str(BATCH), str(EPOCHS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
