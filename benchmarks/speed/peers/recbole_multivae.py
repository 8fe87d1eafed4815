"""MultiVAE of RecBole. Arguments: known and held-out matrix, users a batch, epochs."""

import json
import logging
import tempfile
from pathlib import Path

import scipy.sparse as sp
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model, init_seed
from recbole.utils.case_study import full_sort_topk
from shared import K, arguments, gigabytes, rates, seconds_of

NAME = "shaped"


def write(rows: sp.csr_matrix, path: Path) -> None:
    """As the atomic file that RecBole reads."""
    with path.open("w") as file:
        file.write("user_id:token\titem_id:token\n")
        file.writelines(f"{u}\t{i}\n" for u, i in zip(*rows.nonzero(), strict=True))


known, held_out, batch_size, epochs = arguments()
folder = Path(tempfile.mkdtemp(dir=".")) / NAME
folder.mkdir()
write(known, folder / f"{NAME}.known.inter")
write(held_out, folder / f"{NAME}.held_out.inter")
config = Config(
    model="MultiVAE",
    dataset=NAME,
    config_dict={
        "data_path": str(folder.parent),
        "load_col": {"inter": ["user_id", "item_id"]},
        "benchmark_filename": ["known", "held_out", "held_out"],
        "mlp_hidden_size": [600],
        "latent_dimension": 400,  # means and variances
        "train_batch_size": batch_size,
        "eval_batch_size": batch_size * (known.shape[1] + 1),  # scores; by default a user at a time
        "learning_rate": 1e-3,
        "metrics": ["NDCG", "Recall"],
        "topk": [20, 100],
        "use_gpu": False,
        "show_progress": False,
        "checkpoint_dir": str(folder),
    },
)
logging.disable()
init_seed(0, reproducibility=True)
dataset = create_dataset(config)
train, _, test = data_preparation(config, dataset)
model = get_model("MultiVAE")(config, train.dataset)
trainer = Trainer(config, model)


def lists() -> None:
    """Of all users, batch by batch."""
    for users in test.uid_list.split(batch_size):
        full_sort_topk(users.numpy(), model, test, K)


def judge() -> None:
    """By NDCG@100 and Recall@20."""
    trainer.evaluate(test, load_best_model=False)


found = {
    "users": dataset.user_num - 1,
    "items": dataset.item_num - 1,
    "seconds": seconds_of(lambda: trainer._train_epoch(train, 0), epochs),
    "lists": rates(lists, len(test.uid_list)),
    "judged": rates(judge, len(test.uid_list)),
    "gigabytes": gigabytes(),
}
print(json.dumps(found))
