"""`recvae compare`: several models, one table."""

from pathlib import Path
from typing import Annotated, Any

import typer

import recvae as rv
from recvae.cli.arguments import (
    FOLDER,
    MODELS,
    Json,
    Metrics,
    SettingsByModel,
    names,
    parse_settings,
)
from recvae.cli.experiment import Experiment
from recvae.cli.output import make_folder, note, show


def compare(
    experiment: Experiment,
    *,
    models: Annotated[
        str, typer.Option(help=f"Which, separated by commas, of {MODELS}.")
    ] = "mult-vae,mult-dae,als,item-knn,popularity",
    tune: Annotated[int, typer.Option(min=0, metavar="TRIALS")] = 0,
    folds: Annotated[int | None, typer.Option(min=2)] = None,
    seeds: Annotated[str, typer.Option(metavar="SEEDS", show_default="the models' own")] = "",
    metrics: Metrics = "recall@20,recall@50,ndcg@100",
    cache_dir: Annotated[Path | None, FOLDER] = None,
    out: Annotated[Path | None, FOLDER] = None,
    settings: SettingsByModel,
    json: Json = False,
) -> None:
    """Compare models on the same users, the differences tested for significance.

    By the last of the metrics models are tuned and sorted.

    [bold]Examples[/bold]

    $ recvae compare --data sample --models mult-vae,als,popularity

    $ recvae compare --data ml-1m --models mult-vae,als,item-knn --tune 8 --out report

    $ recvae compare --data ml-1m --models mult-vae,als --set mult-vae.epochs=50

    $ recvae compare --data ml-100k --models ease,mult-vae --folds 5 --seeds 0,1,2 --cache-dir runs

    Options:
        tune: combinations of options to try for each model; 0 keeps its own options.
        folds: hold out every user once: fit each model so often, each time without a part of the
            users, and judge it by all of them together.
        seeds: fit what draws random numbers with each of these, such as 0,1,2, and average.
        cache_dir: folder to keep each fit's values in, to go on from.
        out: folder for the report, with plots.
    """
    from recvae.experiments.report.page import require_own

    options = _by_model(names(models), parse_settings(settings))
    chosen = {name: rv.build_model(name, own) for name, own in options.items()}
    split = experiment.prepare_for_choice() if folds is None else experiment.prepare_folds(folds)
    if out is not None:
        make_folder(out, experiment.data)
        require_own(out)
    result = rv.compare(
        chosen,
        split,
        metrics=names(metrics),
        tune_trials=tune,
        seeds=_numbers(seeds),
        data=experiment.description + ("" if folds is None else f", in {folds} folds"),
        cache_dir=cache_dir,
    )
    show(result, result.to_dict(), json)
    if out is not None:
        note(f"report written to {rv.write_report(result, out)}")


def _numbers(seeds: str) -> list[int]:
    """Read `0, 1` as `[0, 1]`."""
    try:
        return [int(seed) for seed in names(seeds)]
    except ValueError:
        raise typer.BadParameter(f"--seeds {seeds}: write whole numbers, such as 0,1,2.") from None


def _by_model(models: list[str], settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options of each model, `mult-vae.epochs` being one of mult-vae."""
    options: dict[str, dict[str, Any]] = {name: {} for name in models}
    for setting, value in settings.items():
        model, _, option = setting.partition(".")
        if model not in options:
            raise typer.BadParameter(
                f"--set {setting}: write MODEL.NAME=VALUE, the model one of {', '.join(models)}."
            )
        options[model][option] = value
    return options
