"""What the tools of `rv.latent` are worth on MovieLens: their figures and their pictures.

    RECVAE_DATA=... python -m benchmarks.quality.latent                  # all of it
    RECVAE_DATA=... python -m benchmarks.quality.latent anomaly explain  # these

Each part writes its figures and its picture when it is done. Models are kept in build/latent/, and
fitted anew once their folders there are deleted.
"""

from argparse import Namespace
from types import ModuleType
from typing import Any

from benchmarks.common import options, run_parts

PARTS = (
    *("generate", "anomaly", "uncertainty", "explain", "interpolate", "map"),
    *("sparse_codes", "features", "complete", "robustness"),
)
"""The modules beside this one; each has `measure`, which gives what JSON can say, and `draw`,
which makes a figure of it."""


def main() -> None:
    """Measure the parts named, or all."""
    run_parts(options(__doc__), "benchmarks.quality.latent", PARTS, measure, picture="png")


def measure(part: ModuleType, _: Namespace) -> Any:
    """The figures of a part."""
    print(part.__name__, flush=True)
    return rounded(part.measure())


def rounded(found: Any) -> Any:
    """The same with numbers of five digits, which is more than any of them is good for."""
    if isinstance(found, dict):
        return {str(key): rounded(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [rounded(value) for value in found]
    return float(f"{found:.5g}") if isinstance(found, float) else found


if __name__ == "__main__":
    main()
