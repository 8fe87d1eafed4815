"""Stores with right checksums and something else in them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recvae.disk.manifest import sealed
from recvae.disk.store import Store


def reseal(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a manifest says, and its checksum with it."""
    content = json.loads(path.read_text())
    del content["checksum"]
    change(content)
    path.write_bytes(sealed(content))


def forge(store: Store, name: str, content: bytes) -> None:
    """Put another file in the place of one, with its checksum."""
    path = store.folder / store.read().files[name].name
    path.write_bytes(content)
    file = {"n_bytes": len(content), "checksum": store.checksum(content)}
    reseal(store.manifest, lambda said: said["files"][name].update(file))
