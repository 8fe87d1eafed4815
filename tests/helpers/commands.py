"""Commands in a process of their own, one after the other: its start takes longer than they do."""

import json
import os
import subprocess
import sys

RUN = """
import json, sys
from recvae.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["recvae", *arguments]
    try:
        main()
    except SystemExit as end:
        print(f"\\f{end.code}\\f", end="", flush=True)
        print("\\f", end="", file=sys.stderr, flush=True)
"""


def in_one_process(*commands: list[object], **environment: str) -> list[tuple[str, str, int]]:
    """What each command shows and says, and its exit code."""
    asked = json.dumps([[*map(str, command)] for command in commands])
    encoding = environment.setdefault("PYTHONIOENCODING", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN, asked],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"} | environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode(encoding)
    shown, said = (text.decode(encoding).split("\f")[:-1] for text in (done.stdout, done.stderr))
    return list(zip(shown[::2], said, map(int, shown[1::2]), strict=True))


def typed(script: str) -> list[list[str]]:
    """The words of each `recvae ...` of a shell's script, as the shell understands them."""
    say = r'recvae() { printf "%s\0" "$@"; printf "\0"; }'
    command = ["bash", "-e", "-c", f"{say}\n{script}"]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [command.split("\0") for command in words.removesuffix("\0\0").split("\0\0")]
