"""The command `recvae`, which `python -m recvae` is too."""

import codecs
import gc
import json
import sys
from io import TextIOWrapper

from recvae.cli import app

RARELY = 1_000_000
"""New objects between two garbage collections: the imports of torch and pandas, whose objects all
stay, make a third of a million."""


def main() -> None:
    """Run the command that the arguments name.

    The collector would look through what the imports have made many times over, and once more as
    Python ends: that took a quarter of a short command's time. An export, which is not short, has
    loaded torch's compiler, whose bindings print what they take for leaks unless all is collected.
    """
    gc.set_threshold(RARELY)
    codecs.register_error("as-json", _as_json)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="as-json")
    try:
        app(prog_name="recvae")
    finally:
        if "torch._dynamo" not in sys.modules:
            gc.freeze()


def _as_json(error: UnicodeError) -> tuple[str, int]:
    r"""Write what a console's encoding does not have as JSON does, such as \u2026."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


if __name__ == "__main__":
    main()
