"""What several processes do in the tests: a function of this file, whose result one writes."""

import gc
import json
import os
import signal
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp
import torch
import torch.distributed as dist
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import recvae as rv
from recvae.engine import checkpoints, sparse
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.interrupts import sigterm_as_ctrl_c
from recvae.engine.processes import connected, joined
from recvae.engine.trainer import Trainer
from recvae.errors import RecvaeError
from recvae.models.families import softmax

SMALL = {"latent": 4, "epochs": 2, "device": "cpu", "precision": "float32", "batch_size": 11}
FITS = {
    "mult-vae": SMALL | {"hidden": (8,)},
    "rec-vae": SMALL | {"width": 8, "encoder_passes": 2},
    "mult-dae": SMALL | {"hidden": ()},
    "vamp-vae": SMALL | {"hidden": (8,), "n_components": 5},
    "elsa": SMALL,
    "residual-vae": SMALL | {"width": 8},
    "ease": {},
}
BY_USER = [name for name in FITS if name != "ease"]
BY_ITEM = ("mult-vae", "rec-vae", "mult-dae")


def split():
    """56 training users: the last batch of 11 has one."""
    matrix = sp.random(76, 25, density=0.3, format="csr", random_state=0, dtype=np.float32)
    return rv.split_users(rv.Interactions.from_matrix(matrix), n_validation=15, n_test=5)


def fit(name, folder=None, **options):
    """Fit a model; its losses, its NDCG and its weights."""
    model = rv.build_model(name, FITS[name] | options)
    data = split()
    model.fit(data.train, data.validation, checkpoints=folder)
    history = model.history_[["loss", "log_likelihood", "kl", "ndcg@100"]]
    weights = {name: tensor.tolist() for name, tensor in model.state().items()}
    return {"history": history.to_numpy().tolist(), "weights": weights}


def grids():
    """What `everything` gives in the first of four processes.

    They are forks that have all that torchrun gives: its own would each import PyTorch.
    """
    gc.freeze()  # a fork would copy the memory of all that it looks through
    place = {"rdzv_backend": "c10d", "rdzv_endpoint": "localhost:0", "run_id": "grids"}
    agent = LaunchConfig(1, 1, 4, **place, max_restarts=0, start_method="fork")
    return elastic_launch(agent, everything)()[0]


def everything():
    """Each model in each grid."""
    found = {}
    with connected() as n:
        for item_shards in (1, 2, 4):
            with joined(item_shards):
                for name in BY_USER if item_shards == 1 else BY_ITEM:
                    found[f"{name} {n // item_shards} x {item_shards}"] = fit(name)
    return found


def large():
    """A sample that is everything, and gradients by rows."""
    with patch.object(sparse, "LARGE", 0), patch.object(softmax, "N_SAMPLED", 1000), joined():
        return fit("mult-vae")


def killed(folder):
    """A process is killed in a step, then one in a write; then nobody is."""
    life, rank = os.environ["TORCHELASTIC_RESTART_COUNT"], dist.get_rank()
    if (life, rank) == ("0", 1):
        dies_in(Trainer, "_step", 5)
    if (life, rank) == ("1", 0):
        dies_in(Checkpoints, "save", 3)
    with joined(), patch.object(checkpoints, "MINUTES", 0):
        return {"resumed": fit("mult-vae", folder), "life": life} | {"whole": fit("mult-vae")}


def dies_in(owner, name, times):
    """Let a method kill the process at a call."""
    usual, calls = getattr(owner, name), []

    def last(*arguments):
        calls.append(1)
        if len(calls) == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(*arguments)

    setattr(owner, name, last)


def told_to_end(folder):
    """One of two is told to end; whether both do, after the same epoch."""
    usual = Trainer._step

    def step(self, *arguments):
        if dist.get_rank() == 1 and self.training.steps == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        return usual(self, *arguments)

    Trainer._step = step
    with joined(1), sigterm_as_ctrl_c():
        data = split()
        model = rv.build_model("mult-dae", FITS["mult-dae"])
        model.fit(data.train, data.validation, checkpoints=folder)
    ended = torch.tensor([model.interrupted_, len(model.history_)], dtype=torch.int64)
    dist.all_reduce(ended)
    return ended.tolist()


def refused(folder):
    """What is said of what can't be."""
    with joined():
        fit("mult-vae", folder)
    return [
        error_of(None, "ease"),
        error_of(None, "elsa"),
        error_of(None, "vamp-vae"),
        error_of(None, "mult-vae", likelihood="gaussian"),
        error_of(1, "rec-vae", softmax="sampled"),
        error_of(3, "mult-vae"),
        error_of(1, "mult-vae", folder),
    ]


def in_turn(folder):
    """What needs two processes, one after the other: the first is begun again after each kill."""
    folder = Path(folder)
    return {
        "killed": killed(folder / "killed"),
        "large": large(),
        "refused": refused(folder / "refused"),
        "told to end": told_to_end(folder / "ended"),
    }


def error_of(item_shards, *arguments, **options):
    """The error of a fit."""
    try:
        with joined(item_shards):
            fit(*arguments, **options)
    except RecvaeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    what, out, *arguments = sys.argv[1:]
    with connected():
        result = globals()[what](*arguments)
    if os.environ.get("RANK", "0") == "0":
        Path(out).write_text(json.dumps(result))
