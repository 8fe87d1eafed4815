"""`recvae tune`: searches for the options of a model that suit the data."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

import recvae as rv
from recvae import models
from recvae.cli.arguments import FILE, FOLDER, Json, Model, Settings, as_settings, parse_settings
from recvae.cli.experiment import Experiment
from recvae.cli.output import INTERRUPTED, make_folder, note, show


def tune(
    experiment: Experiment,
    *,
    model: Model = "mult-vae",
    trials: Annotated[int | None, typer.Option(min=1)] = None,
    minutes: float | None = None,
    metric: str = "ndcg@100",
    study: Annotated[Path | None, FILE] = None,
    out: Annotated[Path | None, FOLDER] = None,
    settings: Settings,
    json: Json = False,
) -> None:
    """Try options of a model, judged by the validation users; test users are not looked at.

    The model's own options, with what --set says, are tried first; what is tried then, and from
    which ranges, is in docs/tuning.md. Trainings that fall behind are ended early. Ctrl-C ends the
    tuning and shows the best so far.

    [bold]Examples[/bold]

    $ recvae tune --data ml-1m --model als --trials 30

    $ recvae tune --data ml-1m --model mult-vae --minutes 20 --study runs/vae.study --out runs/vae

    Options:
        trials: how many options to try, those in the study included.
        minutes: begin no trial after so many. Give this, --trials or both.
        metric: what the validation users judge by; higher is better.
        study: file that keeps the finished trials: the same command goes on from them.
        out: folder to save the best model to.
    """
    if trials is None and minutes is None:
        raise typer.BadParameter("give it a budget: --trials, --minutes, or both.")
    recommender = rv.build_model(model, parse_settings(settings))
    split = experiment.prepare_for_choice()
    if out is not None:
        make_folder(out, experiment.data)
    tuned = rv.tune(
        recommender,
        split.train,
        split.validation,
        trials=trials,
        minutes=minutes,
        metric=metric,
        study=study,
    )
    if out is not None:
        tuned.model.save(out)
        note(f"saved to {out}")
    again = _train_command(experiment, tuned.model)
    facts = {"model": model, **tuned.to_dict(), "folder": out and str(out), "command": again}
    show(f"{tuned}\n\nthe best again:\n{again}", facts, json)
    if tuned.interrupted:
        raise typer.Exit(INTERRUPTED)


def _train_command(experiment: Experiment, model: "models.Recommender") -> str:
    """The command that trains the same model on the same users."""
    settings = [f"--set={setting}" for setting in as_settings(model)]
    out = f"runs/{model.name}"
    return shlex.join(
        ["recvae", "train", *experiment.arguments, "--model", model.name, *settings, "--out", out]
    )
