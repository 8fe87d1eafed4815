"""Mutations: which one each number stands for. The same number is the same mutation.

But for a few bytes: the files say how long a training took, in more digits or fewer.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors import SafetensorError

from benchmarks.abuse.fuzz.damage import REGION, damaged
from benchmarks.abuse.fuzz.forgery import JUNK, forged_header, forged_json, forged_tensors
from benchmarks.abuse.fuzz.tables import forged_array, forged_table
from benchmarks.abuse.fuzz.targets import Files, Target, seal
from benchmarks.abuse.fuzz.tricks import play

SHARE_OF_SEALED = 0.6
SHARE_OF_TRICKS = 0.04
MOST_REGIONS = 2000
"""Of a file that are damaged in turn."""


class Mutations:
    """All mutations of some targets, by number: the even ones sweep over every region."""

    def __init__(self, targets: list[Target]) -> None:
        self._targets = targets
        self._files = [target.files() for target in targets]
        self._regions = [
            (number, name, start)
            for number, files in enumerate(self._files)
            for name, content in files.items()
            for start in range(0, len(content), max(REGION, len(content) // MOST_REGIONS))
        ]

    def write(self, number: int, folder: Path) -> tuple[Target, bool]:
        """Write a mutated folder; give the target, and whether its checksums were made to fit."""
        rng = np.random.default_rng(number)
        fits = bool(rng.random() < SHARE_OF_SEALED)
        if number % 2 == 0:
            which, name, start = self._regions[number // 2 % len(self._regions)]
            files = dict(self._files[which])
            files[name] = damaged(files[name], start, self._another(name, rng), rng)
        else:
            which = int(rng.integers(len(self._targets)))
            files = self._forged(which, rng)
        target = self._targets[which]
        folder.mkdir()
        for name, content in (seal(files) if fits else files).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        if number % 2 == 1 and rng.random() < SHARE_OF_TRICKS:
            play(folder, folder.with_name("aside"), rng)
        return target, fits or not target.has_checksums

    def _forged(self, which: int, rng: np.random.Generator) -> Files:
        """The files of a target, one of them forged."""
        files = dict(self._files[which])
        name = sorted(files)[rng.integers(len(files))]
        suffix = Path(name).suffix
        if rng.random() < 0.1:
            return files | {name: self._another(name, rng)}
        forge = FORGERIES[suffix]
        with suppress(
            LookupError,
            ValueError,
            TypeError,
            OverflowError,
            pa.ArrowException,
            SafetensorError,
            sqlite3.Error,
        ):
            return files | {name: forge[rng.integers(len(forge))](files[name], rng)}
        return files | {name: files[name][:-1]}  # this forgery can't be written down

    def _another(self, name: str, rng: np.random.Generator) -> bytes:
        """A file of the same kind of another target."""
        kind = Path(name).name.split("-")[0]
        others = [
            content
            for files in self._files
            for other, content in files.items()
            if Path(other).name.split("-")[0] == kind
        ]
        return others[rng.integers(len(others))]


def _forged_text(content: bytes, rng: np.random.Generator) -> bytes:
    """A JSON file that says something else."""
    return json.dumps(forged_json(json.loads(content), rng)).encode("utf8", "surrogatepass")


def _forged_state(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file with JSON in its header that says something else."""
    n_bytes = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + n_bytes]), content[8 + n_bytes :]
    if "json" not in (metadata := header.get("__metadata__", {})):
        return forged_tensors(content, rng)
    metadata["json"] = json.dumps(forged_json(json.loads(metadata["json"]), rng))
    claimed = json.dumps(header).encode()
    return len(claimed).to_bytes(8, "little") + claimed + data


def _forged_database(content: bytes, rng: np.random.Generator) -> bytes:
    """A SQLite file with another value in one column of one table."""
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    tables = [
        name for (name,) in database.execute("select name from sqlite_master where type = 'table'")
    ]
    table = tables[rng.integers(len(tables))]
    columns = [name for _, name, *_ in database.execute(f"pragma table_info({table})")]
    value = JUNK[rng.integers(len(JUNK))]
    value = json.dumps(value) if isinstance(value, list | dict) or rng.random() < 0.3 else value
    database.execute(f"update {table} set {columns[rng.integers(len(columns))]} = ?", [value])
    database.commit()
    return database.serialize()


FORGERIES: dict[str, list[Callable[[bytes, np.random.Generator], bytes]]] = {
    ".json": [_forged_text],
    ".safetensors": [forged_header, forged_tensors, _forged_state],
    ".parquet": [forged_table],
    ".npy": [forged_array],
    ".sqlite": [_forged_database],
}
