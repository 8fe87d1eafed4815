"""Whether a file of ratings can do harm: the readers under Atheris, which coverage guides.

    pip install '.[fuzz]'
    python -m benchmarks.abuse.fuzz.reading -max_total_time=600  # seconds; any option of libFuzzer

The first byte of an input chooses the reader, the others are the file. What is read must be sound,
or refused by one clear error. Whatever else comes ends the run and is kept in a file `crash-...`,
which as an argument is the same input again.
"""

import sys
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["recvae"]):
    from benchmarks.abuse.fuzz.readers import SEEDS, readers, require_sound
    from recvae.errors import RecvaeError

READERS = readers()


def main() -> None:
    """Fuzz until libFuzzer has had enough."""
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        path, corpus = Path(folder) / "table", Path(folder) / "corpus"
        corpus.mkdir()
        for number in range(len(READERS)):
            for seed, content in enumerate(SEEDS):
                (corpus / f"{number}-{seed}").write_bytes(bytes([number]) + content)
        atheris.Setup([*sys.argv, str(corpus)], lambda content: read(content, path))
        atheris.Fuzz()


def read(content: bytes, path: Path) -> None:
    """Read an input, written to a file, by the reader that it names."""
    path.write_bytes(content[1:])
    reader = READERS[sum(content[:1]) % len(READERS)]
    with suppress(RecvaeError):
        require_sound(reader(path))


if __name__ == "__main__":
    main()
