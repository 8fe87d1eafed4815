"""`recvae train`: from data to a saved model."""

from pathlib import Path
from shutil import rmtree
from typing import Annotated

import typer

import recvae as rv
from recvae import models
from recvae.cli.arguments import FOLDER, Json, Model, Settings, names, parse_settings
from recvae.cli.experiment import Experiment
from recvae.cli.output import INTERRUPTED, make_folder, note, show
from recvae.display.progress import is_rank_zero
from recvae.errors import CheckpointError


def train(
    experiment: Experiment,
    *,
    model: Model = "ensemble",
    out: Annotated[Path, FOLDER],
    settings: Settings,
    minutes: Annotated[
        float | None,
        typer.Option(show_default="an ensemble chooses members that take two cores an hour"),
    ] = None,
    resume: bool = False,
    item_shards: Annotated[int | None, typer.Option(min=1, show_default="all of them")] = None,
    item_features: str | None = None,
    user_features: str | None = None,
    keep_data: bool = False,
    json: Json = False,
) -> None:
    """Train a model and save it.

    Ctrl-C ends the training early; the best model so far is kept and saved. After that, or any
    other end, the same command with --resume goes on where it was, bit for bit.

    [bold]Examples[/bold]

    $ recvae train --data ml-1m --model mult-vae --out runs/vae --set latent=200

    $ recvae train --data ml-1m --model mult-vae --out runs/vae --set latent=200 --resume

    $ recvae train --data orders.csv --user customer --item sku --out runs/shop --minutes 20

    $ recvae train --data plays.tsv --user userID --item artistID --split none --out runs/plays

    $ recvae train --data orders.csv --items goods.csv --item-features kind,price
    --users people.csv --user-features age,country --out runs/shop

    $ torchrun --nproc-per-node 4 -m recvae train --data ml-20m --model mult-vae --out runs/vae

    Options:
        out: folder to save the model to.
        minutes: about how long it may take: then training ends with the best epoch so far, and an
            ensemble has the members that there are.
        resume: go on with a training that was ended early.
        item_shards: under torchrun: over how many processes the items are divided (tensor
            parallel); over the others the users of a batch are (data parallel).
        item_features: columns of the items' table, separated by commas, by which items that nobody
            has are recommended too: numbers, labels (Comedy|Drama) or text.
        user_features: columns of the users' table, in the same form, by which users without a
            history are told apart.
        keep_data: save the training users' ids and items with the model, for `recvae update`.
    """
    from recvae.engine.processes import joined

    recommender = rv.build_model(model, parse_settings(settings))
    data, validation = experiment.learn_from()
    make_folder(out, experiment.data)
    checkpoints = _checkpoints(out, resume=resume)
    note(f"training {model} on {data}")
    try:
        with joined(item_shards):
            recommender.fit(
                data,
                validation,
                checkpoints=checkpoints,
                minutes=minutes,
                keep_data=keep_data,
                item_features=None if item_features is None else names(item_features),
                user_features=None if user_features is None else names(user_features),
            )
    except KeyboardInterrupt:
        _say_how_to_go_on(checkpoints)
        raise
    if not is_rank_zero():
        return
    recommender.save(out)
    note(f"saved to {out}")
    _show_training(recommender, validation, out, json=json)
    if recommender.interrupted_:
        _say_how_to_go_on(checkpoints)
        raise typer.Exit(0 if minutes is not None else INTERRUPTED)
    rmtree(checkpoints)


def _checkpoints(out: Path, *, resume: bool) -> Path:
    """Where the checkpoints are, or will be, if they are as the user believes."""
    from recvae.engine.checkpoints import has_checkpoints
    from recvae.saved.storage import MANIFEST

    folder = out / "checkpoints"
    if not resume and has_checkpoints(folder):
        raise CheckpointError(
            f"{out} holds a training that was ended early: add --resume to go on with it, or "
            f"remove {folder} to begin anew."
        )
    if resume and not has_checkpoints(folder):
        if (out / MANIFEST).exists():
            raise CheckpointError(
                f"the model in {out} is finished: leave out --resume to train it anew."
            )
        note("there is nothing to go on from: training from the beginning")
    return folder


def _say_how_to_go_on(checkpoints: Path) -> None:
    from recvae.engine.checkpoints import has_checkpoints

    if has_checkpoints(checkpoints):
        note("to go on, give the same command with --resume")


def _show_training(
    model: "models.Recommender", validation: "rv.Holdout | None", out: Path, *, json: bool
) -> None:
    epochs, report = _epochs(model), None
    if validation is not None:
        if model.supports_new_users or validation.rows is not None:
            report = rv.evaluate(model, validation)
        else:
            note(
                f"{model.name} can't rank for unseen users: see it judged with --split interactions"
            )
    text = [f"{name.replace('_', ' ')}: {value}" for name, value in epochs.items()]
    text += ["on the validation users:", str(report)] if report else []
    facts = {"model": model.name, "folder": str(out), **epochs}
    if text or json:
        show("\n".join(text), facts | {"validation": report and report.to_dict()}, json)


def _epochs(model: "models.Recommender") -> dict[str, int]:
    """How many epochs were trained and which was the best, for models trained in epochs."""
    if model.history_ is None:
        return {}
    best = model.origin_ and model.origin_.best
    return {
        "epochs": len(model.history_),
        "best_epoch": best.epoch if best else len(model.history_),
    }
