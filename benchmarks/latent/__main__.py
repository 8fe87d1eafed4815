"""What the tools of `rv.latent` are worth on MovieLens: their figures and pictures in docs/latent/.

    RECVAE_DATA=... python benchmarks/latent                  # all of it
    RECVAE_DATA=... python benchmarks/latent anomaly explain  # these

Each part writes its figures to docs/latent/PART.json and its picture to docs/images/latent-PART.png
as soon as it is done. Models are kept in build/latent/, and fitted anew once their folders there
are deleted.
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
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder to write to")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for part in args.parts or PARTS:
        logger.info("%s", part)
        figures = args.docs / "latent" / f"{part}.json"
        run(part, figures, args.docs / "images" / f"latent-{part}.png")


def run(part: str, figures: Path, picture: Path) -> None:
    """Measure a part, write its figures and its picture."""
    module = import_module(part)
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
