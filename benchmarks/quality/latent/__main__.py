"""What the tools of `rv.latent` are worth on MovieLens: their figures and their pictures.

    RECVAE_DATA=... python -m benchmarks.quality.latent                  # all of it
    RECVAE_DATA=... python -m benchmarks.quality.latent anomaly explain  # these

Each part writes benchmarks/figures/latent/PART.json and docs/images/latent-PART.png, when done.
Models are kept in build/latent/, and fitted anew once their folders there are deleted.
"""

import argparse
import json
import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import matplotlib as mpl

from recvae.display.themes import LIGHT, STYLE

PARTS = (
    *("generate", "anomaly", "uncertainty", "explain", "interpolate", "map"),
    *("sparse_codes", "features", "robustness"),
)
"""The modules beside this one; each has `measure`, which gives what JSON can say, and `draw`,
which makes a figure of it."""

logger = logging.getLogger("latent")


def main() -> None:
    """Measure the parts named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--figures", type=Path, default=Path("benchmarks/figures/latent"))
    parser.add_argument("--images", type=Path, default=Path("docs/images"))
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for part in args.parts or PARTS:
        logger.info("%s", part)
        run(part, args.figures / f"{part}.json", args.images / f"latent-{part}.png")


def run(part: str, figures: Path, picture: Path) -> None:
    """Measure a part, write its figures and its picture."""
    module = import_module(f"benchmarks.quality.latent.{part}")
    found = module.measure()
    picture.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(style()):
        module.draw(found).savefig(picture)
    text = json.dumps(rounded(found), indent=1, ensure_ascii=False)
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_text(text + "\n", encoding="utf-8")
    logger.info("%s\n%s and %s", text, figures, picture)


def style() -> Any:
    """How the pictures look: those of the reports, smaller."""
    return {**STYLE, **LIGHT, "savefig.dpi": 110}


def rounded(found: Any) -> Any:
    """The same with numbers of five digits, which is more than any of them is good for."""
    if isinstance(found, dict):
        return {str(key): rounded(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [rounded(value) for value in found]
    return float(f"{found:.5g}") if isinstance(found, float) else found


if __name__ == "__main__":
    main()
