"""MultiVAE of RecBole: the seconds of epochs, as JSON. Arguments: matrix, users a batch, epochs."""

import json
import logging
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model, init_seed

NAME = "shaped"


def main(matrix: str, batch_size: int, epochs: int) -> None:
    """Train by RecBole's own trainer, and time it."""
    with tempfile.TemporaryDirectory() as folder:
        write(sp.csr_matrix(sp.load_npz(matrix)), Path(folder) / NAME)
        config = Config(
            model="MultiVAE",
            dataset=NAME,
            config_dict={
                "data_path": folder,
                "load_col": {"inter": ["user_id", "item_id"]},
                "mlp_hidden_dimension": [600],
                "latent_dimension": 200,
                "train_batch_size": batch_size,
                "learning_rate": 1e-3,
                "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "mode": "full"},
                "use_gpu": False,
                "show_progress": False,
                "checkpoint_dir": folder,
            },
        )
        logging.disable()
        init_seed(0, reproducibility=True)
        dataset = create_dataset(config)
        train, _, _ = data_preparation(config, dataset)
        model = get_model("MultiVAE")(config, train.dataset)
        trainer, seconds = Trainer(config, model), []
        for epoch in range(epochs):
            start = perf_counter()
            trainer._train_epoch(train, epoch)
            seconds.append(perf_counter() - start)
    counts = {"users": dataset.user_num - 1, "items": dataset.item_num - 1}
    print(json.dumps(counts | {"threads": torch.get_num_threads(), "seconds": seconds}))


def write(rows: sp.csr_matrix, folder: Path) -> None:
    """As the atomic file that RecBole reads."""
    folder.mkdir()
    with (folder / f"{NAME}.inter").open("w") as file:
        file.write("user_id:token\titem_id:token\n")
        file.writelines(f"{u}\t{i}\n" for u, i in zip(*rows.nonzero(), strict=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
