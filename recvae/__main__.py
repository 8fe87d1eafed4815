"""The command `recvae`, which `python -m recvae` is too."""

import gc

from recvae.cli import app

RARELY = 1_000_000
"""New objects between two garbage collections. Those of torch's import, which all stay, would else
be looked through again and again: a fifth of the start-up."""


def main() -> None:
    """Run the command that the arguments name."""
    gc.set_threshold(RARELY)
    app(prog_name="recvae")


if __name__ == "__main__":
    main()
