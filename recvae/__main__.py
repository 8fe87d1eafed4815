"""The command `recvae`, which `python -m recvae` is too."""

import gc
import sys

from recvae.cli import app

RARELY = 1_000_000
"""New objects between two garbage collections: the imports of torch and pandas, whose objects all
stay, make a third of a million."""


def main() -> None:
    """Run the command that the arguments name.

    The collector would look through what the imports have made many times over, and once more as
    Python ends: that took a quarter of a short command's time. A training, which is not short, has
    loaded torch's compiler, whose bindings print what they take for leaks unless all is collected.
    """
    gc.set_threshold(RARELY)
    try:
        app(prog_name="recvae")
    finally:
        if "torch._dynamo" not in sys.modules:
            gc.freeze()


if __name__ == "__main__":
    main()
