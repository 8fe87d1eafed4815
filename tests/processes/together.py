"""What torchrun starts in the tests: it fits models and prints what came, as JSON."""

import json
import os
import signal
import sys

import numpy as np
import scipy.sparse as sp
import torch

import recvae as rv
from recvae import checkpoints, sparse
from recvae.models import softmax
from recvae.processes import joined
from recvae.trainer import Trainer

SMALL = {"latent": 4, "epochs": 3, "device": "cpu", "precision": "float32", "batch_size": 11}
FITS = {
    "mult-vae": SMALL | {"hidden": (8,)},
    "rec-vae": SMALL | {"width": 8},
    "mult-dae": SMALL | {"hidden": ()},
    "vamp-vae": SMALL | {"hidden": (8,), "components": 5},
    "elsa": SMALL,
    "residual-vae": SMALL | {"width": 8},
}
BY_ITEM = ("mult-vae", "rec-vae", "mult-dae")


def split():
    """56 training users: the last batch of 11 has one."""
    matrix = sp.random(76, 25, density=0.3, format="csr", random_state=0, dtype=np.float32)
    return rv.split_users(rv.Interactions.of(matrix), n_validation=15, n_test=5)


def fit(name, folder=None, **options):
    """Fit a model; its losses, its NDCG and its weights."""
    model = rv.build_model(name, FITS[name] | options)
    data = split()
    model.fit(data.train, data.validation, checkpoints=folder)
    history = model.history_[["loss", "log_likelihood", "kl", "ndcg@100"]]
    weights = {name: tensor.tolist() for name, tensor in model._state().items()}
    return {"history": history.to_numpy().tolist(), "weights": weights}


def everything():
    """Each model in each grid."""
    found = {}
    n = int(os.environ["WORLD_SIZE"])
    for item_shards in range(1, n + 1):
        if n % item_shards == 0:
            with joined(item_shards):
                for name in FITS if item_shards == 1 else BY_ITEM:
                    found[f"{name} {n // item_shards} x {item_shards}"] = fit(name)
    return found


def large(folder):
    """With a sample that is everything, and gradients by rows."""
    sparse.LARGE, softmax.N_SAMPLED = 0, 1000
    with joined():
        return fit("mult-vae")
