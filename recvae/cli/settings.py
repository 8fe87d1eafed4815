"""Settings: hyper-parameters as they are typed, `--set latent=200 --set hidden=600,300`."""

import json
from typing import Annotated, Any

import typer

Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        default_factory=list,
        show_default=False,
        help="A hyper-parameter, such as latent=200 or hidden=600,300; repeat it for more.",
    ),
]


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Read `["latent=200", "hidden=600,300"]` as `{"latent": 200, "hidden": "600,300"}`.

    Raises:
        typer.BadParameter: a setting has no `=`.
    """
    return dict(_parse(setting) for setting in settings)


def _parse(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    if not equals:
        raise typer.BadParameter(f"{setting!r} is not NAME=VALUE, such as latent=200.")
    return name.strip(), _value(text.strip())


def _value(text: str) -> Any:
    """JSON, or else the text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
