"""`recvae export`: a saved model as an ONNX graph, or its items' vectors."""

from pathlib import Path
from typing import Annotated

import typer

import recvae as rv
from recvae.cli.arguments import FILE, ModelFolder
from recvae.cli.output import note


def export(
    model: ModelFolder,
    *,
    out: Annotated[Path, FILE],
    k: Annotated[int, typer.Option("-k")] = 10,
    vectors: bool = False,
) -> None:
    """Write a saved model as an ONNX graph: columns of histories in, top-k columns and scores out.

    It needs the extra recvae\\[onnx]. The raw id of each column is in the file's metadata.

    --vectors writes Parquet instead: raw ids, and vectors whose inner products are scores.

    [bold]Examples[/bold]

    $ recvae export runs/vae --out model.onnx

    $ recvae export runs/best --out model.onnx -k 100

    $ recvae export runs/vae --out items.parquet --vectors

    Options:
        out: file to write to, .onnx or .parquet.
        k: length of the graph's lists.
        vectors: write the items' vectors, for a vector database.
    """
    loaded = rv.load_model(model, device="cpu")
    if vectors:
        rv.export_vectors(loaded, out)
    else:
        rv.export_onnx(loaded, out, k)
    note(f"written to {out}")
