"""`recvae train`: from data to a saved model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import recvae as rv
from recvae.cli.arguments import MODELS, Experiment, Json
from recvae.cli.output import INTERRUPTED, note, show
from recvae.cli.settings import Settings, parse_settings

if TYPE_CHECKING:
    from recvae.evaluation import Report
    from recvae.models.base import Recommender


def train(
    experiment: Experiment,
    *,
    model: Annotated[str, typer.Option(help=f"One of {MODELS}.")] = "ensemble",
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to save the model to.")],
    settings: Settings,
    json: Json = False,
) -> None:
    """Train a model and save it.

    Ctrl-C ends the training early; the best model so far is kept and saved.

    [bold]Examples[/bold]

    $ recvae train --data ml-1m --model mult-vae --out runs/vae --set latent=200

    $ recvae train --data plays.tsv --user userID --item artistID --split none --out runs/plays
    """
    recommender = rv.build_model(model, parse_settings(settings))
    data, validation = experiment.learn_from()
    out.mkdir(parents=True, exist_ok=True)  # what can't be saved should fail now
    note(f"training {model} on {data}")
    recommender.fit(data, validation=validation)
    recommender.save(out)
    note(f"saved to {out}")
    epochs, report = _epochs(recommender), _validate(recommender, validation)
    text = [f"{name.replace('_', ' ')}: {value}" for name, value in epochs.items()]
    text += ["on the validation users:", str(report)] if report else []
    facts = {"model": model, "folder": str(out), **epochs}
    show("\n".join(text), facts | {"validation": report and report.to_dict()}, json)
    if getattr(recommender, "interrupted_", False):
        raise typer.Exit(INTERRUPTED)


def _epochs(model: "Recommender") -> dict[str, int]:
    """How many epochs were trained and which was the best, for models trained in epochs."""
    history = getattr(model, "history_", None)
    if history is None:
        return {}
    judged = history.filter(like="@")
    best = len(history) if judged.empty else int(judged.iloc[:, 0].argmax()) + 1
    return {"epochs": len(history), "best_epoch": best}


def _validate(model: "Recommender", validation: "rv.Holdout | None") -> "Report | None":
    if validation is None:
        return None
    if not model.folds_in and validation.rows is None:
        note(f"{model.name} can't rank for unseen users: see it judged with --split interactions")
        return None
    return rv.evaluate(model, validation)
