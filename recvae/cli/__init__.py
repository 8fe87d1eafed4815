"""The command line: thin commands over the library's functions.

What was asked for goes to stdout; progress, notes and errors go to stderr.
"""

from typing import Annotated

import typer

import recvae
from recvae.cli.compare import compare
from recvae.cli.data import data
from recvae.cli.evaluate import evaluate
from recvae.cli.export import export
from recvae.cli.groups import spread
from recvae.cli.info import info
from recvae.cli.output import Commands
from recvae.cli.recommend import recommend
from recvae.cli.serve import serve
from recvae.cli.shard import shard
from recvae.cli.train import train
from recvae.cli.tune import tune
from recvae.cli.update import update

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (data, shard, train, update, tune, info, evaluate, recommend, compare, export, serve)
for command in COMMANDS:
    app.command()(spread(command))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recvae {recvae.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Recommendations with variational autoencoders, and honest comparisons.

    Begin with [bold]recvae train --data sample --out runs/vae[/bold], which needs no download.
    """
