"""Arguments that several commands share, one value each."""

from pathlib import Path
from typing import Annotated

import typer

from recvae.models import registry

MODELS = ", ".join(registry.MODELS)
"""What the help says there is, those of other packages last."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
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


def names(text: str) -> list[str]:
    """Read `als, bpr` as `["als", "bpr"]`."""
    return [name.strip() for name in text.split(",") if name.strip()]
