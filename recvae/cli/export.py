"""`recvae export`: a saved model as an ONNX graph."""

from pathlib import Path
from typing import Annotated

import typer

import recvae as rv
from recvae.cli.arguments import ModelFolder
from recvae.cli.output import note


def export(
    model: ModelFolder,
    *,
    out: Annotated[Path, typer.Option(dir_okay=False, help="File to write to, .onnx.")],
    k: Annotated[int, typer.Option("-k", help="Length of the lists.")] = 10,
) -> None:
    """Write a saved model as an ONNX graph: columns of histories in, top-k columns and scores out.

    It needs the extra recvae\\[onnx]. The raw id of each column is in the file's metadata.

    [bold]Examples[/bold]

    $ recvae export runs/vae --out model.onnx

    $ recvae export runs/best --out model.onnx -k 100
    """
    rv.export_onnx(rv.load_model(model, device="cpu"), out, k)
    note(f"written to {out}")
