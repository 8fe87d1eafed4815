"""WarpRec's MultiVAE and EASE. Arguments: known and held-out matrix, users a batch, epochs."""

import json
from time import perf_counter
from typing import Any

import lightning
import narwhals
import pandas as pd
import scipy.sparse as sp
import torch
from lightning.pytorch.callbacks import LambdaCallback
from shared import K, arguments, gigabytes, rates, seconds_of
from warprec.data import Dataset
from warprec.data.ranking import SeenItems, rank_top_k
from warprec.evaluation.evaluator import Evaluator
from warprec.recommenders.collaborative_filtering_recommender.autoencoder import EASE, MultiVAE
from warprec.utils.helpers import resolve_available_cpus, resolve_num_workers


def frame(rows: sp.csr_matrix) -> Any:
    """As its readers make them."""
    table = pd.DataFrame(dict(zip(("user_id", "item_id"), rows.nonzero(), strict=True)))
    return narwhals.from_native(table, eager_only=True)


known, held_out, batch_size, epochs = arguments()
data = Dataset(frame(known), frame(held_out), batch_size=batch_size)
matrix, n_users = data.train_set.get_sparse(), held_out.shape[0]
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
model = MultiVAE(options, data.info(), data.train_set)
workers = resolve_num_workers(None, resolve_available_cpus())
seen = SeenItems(matrix)
evaluator = Evaluator(["nDCG", "Recall"], [20, K], matrix)


def train() -> list[float]:
    """Seconds of epochs, by the trainer that it uses, with as many loading processes."""
    loader = model.get_dataloader(
        data.train_set, None, num_workers=workers, persistent_workers=True
    )
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
    model.eval()
    return [after - before for before, after in zip(times[::2], times[1::2], strict=True)]


@torch.inference_mode()
def lists() -> None:
    """Of all users, batch by batch, as it writes them."""
    ties = torch.Generator().manual_seed(0)
    for start in range(0, n_users, batch_size):
        users = torch.arange(start, min(start + batch_size, n_users))
        scores = model.predict(users)
        seen.mask(scores, users)
        rank_top_k(scores, K, ties, users)


def judge() -> None:
    """By NDCG@100 and Recall@20."""
    loader = data.get_evaluation_dataloader(num_workers=workers)
    evaluator.evaluate(model, loader, "full", data)
    evaluator.compute_results()


found = {
    "users": matrix.shape[0],
    "items": matrix.shape[1],
    "seconds": train(),
    "lists": rates(lists, n_users),
    "judged": rates(judge, n_users),
    "gigabytes": gigabytes(),
    "ease": seconds_of(lambda: EASE({"l2": 500.0}, data.info(), data.train_set), 1),
}
print(json.dumps(found))
