"""`recvae evaluate`: evaluates a saved model on test users."""

import recvae as rv
from recvae import models
from recvae.cli.arguments import Device, Json, Metrics, ModelFolder, names
from recvae.cli.experiment import Experiment
from recvae.cli.output import note, show
from recvae.errors import DataError


def evaluate(
    model: ModelFolder,
    experiment: Experiment,
    *,
    metrics: Metrics = "recall@20,recall@50,ndcg@100",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Judge a saved model by the test users, whom it has not seen.

    Give the data, the filters and the split that it was trained with.

    [bold]Examples[/bold]

    $ recvae evaluate runs/vae --data ml-1m

    $ recvae evaluate runs/vae --data ml-1m --metrics ndcg@10,hit@10,coverage@10 --json
    """
    recommender = rv.load_model(model, device=device)
    split = experiment.prepare()
    _check_trained_on(recommender, split)
    report = rv.evaluate(recommender, split.test, names(metrics))
    show(report, report.to_dict(), json)


def _check_trained_on(model: "models.Recommender", split: "rv.Split | rv.ShardSplit") -> None:
    train = split.train
    known = [train, *([split.final] if isinstance(split, rv.Split) and split.final else [])]
    if not model.item_ids_.equals(train.item_ids):
        raise DataError(
            f"the model knows {len(model.items_):,} items, and they are not the {train.shape[1]:,} "
            "of this training set: give the data, filters and split that it was trained with."
        )
    if model.fingerprint_ not in [part.fingerprint() for part in known]:
        note(
            "warning: the model was trained on other data than this split's training users, "
            "perhaps on test users: these figures may flatter it. (A table and its shards, and "
            "shards cut otherwise, are told apart as well.)"
        )
