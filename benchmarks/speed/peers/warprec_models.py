"""WarpRec's MultiVAE and EASE: seconds, as JSON. Arguments: matrix, users a batch, epochs."""

import json
import sys
from time import perf_counter

import lightning
import narwhals
import pandas as pd
import scipy.sparse as sp
from lightning.pytorch.callbacks import LambdaCallback
from warprec.data.entities import Interactions
from warprec.recommenders.collaborative_filtering_recommender.autoencoder import EASE, MultiVAE
from warprec.utils.helpers import resolve_available_cpus, resolve_num_workers

rows, batch_size, epochs = sp.load_npz(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
n_users, n_items = rows.shape
info = {"n_users": n_users, "n_items": n_items}


def interactions() -> Interactions:
    """Of a matrix, as its reader makes them."""
    table = pd.DataFrame(dict(zip(("user", "item"), rows.nonzero(), strict=True)))
    numbers = ({n: n for n in range(size)} for size in rows.shape)
    return Interactions(narwhals.from_native(table, eager_only=True), rows.shape, *numbers)


def epochs_of_multivae(data: Interactions) -> list[float]:
    """By the trainer that WarpRec uses, with as many processes that load as it chooses."""
    options = {
        "intermediate_dim": 600,
        "latent_dim": 200,
        "corruption": 0.5,
        "weight_decay": 0.0,
        "batch_size": batch_size,
        "epochs": epochs,
        "learning_rate": 1e-3,
        "anneal_cap": 0.2,
        "anneal_step": 0,
    }
    model = MultiVAE(options, info, data)
    workers = resolve_num_workers(None, resolve_available_cpus())
    loader = model.get_dataloader(data, None, num_workers=workers, persistent_workers=True)
    times: list[float] = []
    note = LambdaCallback(
        on_train_epoch_start=lambda *_: times.append(perf_counter()),
        on_train_epoch_end=lambda *_: times.append(perf_counter()),
    )
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", callbacks=[note], **dict.fromkeys(quiet, False)
    )
    trainer.fit(model, train_dataloaders=loader)
    return [after - before for before, after in zip(times[::2], times[1::2], strict=True)]


def ease(data: Interactions) -> float:
    """It learns as it is made."""
    data.get_sparse()
    start = perf_counter()
    EASE({"l2": 500.0}, info, data)
    return perf_counter() - start


data = interactions()
seconds = epochs_of_multivae(data)
print(json.dumps({"users": n_users, "items": n_items, "seconds": seconds, "ease": [ease(data)]}))
