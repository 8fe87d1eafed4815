"""A PostgreSQL server of the tests' own, from the programs of this machine."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PASSWORD = "s3cret"


@contextmanager
def server() -> Iterator[str]:
    """A context with the address of a new, empty database, in which a server runs."""
    programs = _programs()
    with TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        password = Path(folder, "password")
        password.write_text(PASSWORD)
        as_other = _as_other_than_root(folder, password)

        def run(program: str, *arguments: str) -> None:
            command = [programs / program, "-D", f"{folder}/data", *arguments]
            with Path(folder, "said").open("a") as said:
                subprocess.run(command, check=True, stdout=said, stderr=said, **as_other)

        run("initdb", "-A", "scram-sha-256", "-U", "shop", f"--pwfile={password}", "-N")
        free.close()
        run("pg_ctl", "-w", "-o", f"-h 127.0.0.1 -p {port} -k '' -F", "start")
        try:
            yield f"postgresql://shop:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


def _programs() -> Path:
    """The folder of initdb and pg_ctl; Debian has it outside of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not versions:
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    return versions[-1]


def _as_other_than_root(*paths: str | Path) -> dict[str, object]:
    """How subprocess runs a server that refuses to be root's; the paths become its own."""
    if os.name != "posix" or os.getuid() != 0:
        return {}
    for path in paths:
        shutil.chown(path, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
