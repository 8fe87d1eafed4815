"""Arguments that several commands share; hyper-parameters are typed `--set hidden=600,300`."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from recvae import models
from recvae.disk.paths import path_of
from recvae.models import registry

MODELS = ", ".join(registry.MODELS)
"""What the help says there is, those of other packages last."""


def at_home(place: str | None) -> str | None:
    """A name, a path or an address; of a path the ~, which shells leave after =, is a home."""
    return str(path_of(place)) if place and place.startswith("~") else place


FILE, FOLDER = typer.Option(dir_okay=False), typer.Option(file_okay=False)
PLACE = typer.Option(callback=at_home)

Json = Annotated[bool, typer.Option(help="Print JSON, and nothing else, on stdout.")]
Model = Annotated[str, typer.Option(help=f"One of {MODELS}.")]
ModelFolder = Annotated[
    Path, typer.Argument(help="Folder of a saved model, as `recvae train --out` makes it.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Metrics = Annotated[
    str,
    typer.Option(
        help="What to measure, separated by commas: recall, full-recall, ndcg, precision, map, "
        "mrr, hit, coverage, novelty, diversity, gini or disliked, @ a length of the list."
    ),
]
_Set = partial(typer.Option, "--set", default_factory=list, show_default=False)

Settings = Annotated[
    list[str],
    _Set(
        metavar="NAME=VALUE",
        help="A hyper-parameter, such as latent=200, hidden=600,300 or device=cpu; repeat it for "
        "more.",
    ),
]
SettingsByModel = Annotated[
    list[str],
    _Set(
        metavar="MODEL.NAME=VALUE",
        help="A hyper-parameter of one of the models, such as mult-vae.latent=200; repeat it for "
        "more.",
    ),
]


def names(text: str) -> list[str]:
    """Read `als, bpr` as `["als", "bpr"]`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Read `["latent=200", "hidden=600,300"]` as `{"latent": 200, "hidden": "600,300"}`.

    Raises:
        typer.BadParameter: a setting has no `=`.
    """
    found = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"{setting!r} is not NAME=VALUE, such as latent=200.")
        found[name.strip()] = _value(text.strip())
    return found


def as_settings(model: "models.Recommender") -> list[str]:
    """The options of a model that differ from its class's defaults, as text: `["latent=50"]`."""
    from recvae import options

    usual = options.values(type(model)())
    return [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in options.values(model).items()
        if value != usual[name]
    ]


def _value(text: str) -> Any:
    """The value of JSON text, or the text itself if it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
