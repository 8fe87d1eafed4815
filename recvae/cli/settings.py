"""Settings: hyper-parameters as they are typed, `--set latent=200 --set hidden=600,300`."""

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from recvae.models.contract.recommender import Recommender

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


def as_settings(model: "Recommender") -> list[str]:
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
