"""`recvae train`: from data to a saved model."""

from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Annotated

import typer

import recvae as rv
from recvae.cli.arguments import MODELS, Json, names
from recvae.cli.experiment import Experiment
from recvae.cli.output import INTERRUPTED, make_folder, note, show
from recvae.cli.settings import Settings, parse_settings
from recvae.display.progress import is_rank_zero
from recvae.errors import CheckpointError

if TYPE_CHECKING:
    from recvae.evaluation.evaluate import Report
    from recvae.models.contract.recommender import Recommender


def train(
    experiment: Experiment,
    *,
    model: Annotated[str, typer.Option(help=f"One of {MODELS}.")] = "ensemble",
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to save the model to.")],
    settings: Settings,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="About how long it may take: then training ends with the best epoch so far, and "
            "an ensemble has the members that there are.",
            show_default="an ensemble chooses members that take two cores an hour",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was ended early.")
    ] = False,
    item_shards: Annotated[
        int | None,
        typer.Option(
            help="Under torchrun: over how many processes the items are divided (tensor parallel); "
            "over the others the users of a batch are (data parallel).",
            min=1,
            show_default="all of them",
        ),
    ] = None,
    item_features: Annotated[
        str | None,
        typer.Option(
            help="Columns of the items' table, separated by commas, by which items that nobody has "
            "are recommended too: numbers, labels (Comedy|Drama) or text."
        ),
    ] = None,
    user_features: Annotated[
        str | None,
        typer.Option(
            help="Columns of the users' table, in the same form, by which users without a history "
            "are told apart."
        ),
    ] = None,
    keep_data: Annotated[
        bool,
        typer.Option(
            "--keep-data",
            help="Save the training users' ids and items with the model, for `recvae update`.",
        ),
    ] = False,
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
    from recvae.saved.manifest import MANIFEST

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
    model: "Recommender", validation: "rv.Holdout | None", out: Path, *, json: bool
) -> None:
    epochs, report = _epochs(model), _validate(model, validation)
    text = [f"{name.replace('_', ' ')}: {value}" for name, value in epochs.items()]
    text += ["on the validation users:", str(report)] if report else []
    facts = {"model": model.name, "folder": str(out), **epochs}
    if text or json:
        show("\n".join(text), facts | {"validation": report and report.to_dict()}, json)


def _epochs(model: "Recommender") -> dict[str, int]:
    """How many epochs were trained and which was the best, for models trained in epochs."""
    if model.history_ is None:
        return {}
    best = model.origin_ and model.origin_.best
    return {
        "epochs": len(model.history_),
        "best_epoch": best.epoch if best else len(model.history_),
    }


def _validate(model: "Recommender", validation: "rv.Holdout | None") -> "Report | None":
    if validation is None:
        return None
    if not model.supports_new_users and validation.rows is None:
        note(f"{model.name} can't rank for unseen users: see it judged with --split interactions")
        return None
    return rv.evaluate(model, validation)
