"""The live model: the model that is in a folder now, also after a new one was saved there."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from recvae.disk.manifest import MAX_BYTES
from recvae.disk.store import Store
from recvae.disk.untrusted import read_file
from recvae.models import load_model
from recvae.saved.storage import KIND
from recvae.serving.served_model import ServedModel

logger = logging.getLogger(__name__)

State: TypeAlias = tuple[bytes, list[tuple[str, int, int]]]
"""A folder's manifest, and the name, size and time of each file in it that is there already."""


class LiveModel:
    """The model in a folder, replaced in one step when another is saved there.

    Code that has read `now` keeps using that model until it is done.
    """

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model; errors are those of `load_model` and `ServedModel`."""
        self._store = Store(folder, KIND)
        self._device = device
        self._tried = self._state()
        self.now = self._load()

    async def watch(self, seconds: float, on_load: Callable[[bool], None]) -> None:
        """Look at the folder at this interval until cancelled; report each load's success.

        A model may be copied to it file by file: it is loaded when nothing changed for an interval,
        and again when more has come.
        """
        before = self._tried
        while True:
            await asyncio.sleep(seconds)
            now = self._state()
            if now is not None and now == before and now != self._tried:
                self._tried = now
                on_load(await asyncio.to_thread(self._replace))
            before = now

    def _replace(self) -> bool:
        try:
            self.now = self._load()
        except Exception as error:
            logger.warning("the new model is not served, the old one still is: %s", error)
            return False
        logger.info("a new model is served: %s", self.now.model.name)
        return True

    def _load(self) -> ServedModel:
        return ServedModel(load_model(self._store.folder, device=self._device))

    def _state(self) -> State | None:
        """What there is of a model now; None if there is no manifest, or a file just went."""
        try:
            manifest = read_file(self._store.manifest, MAX_BYTES)
            files = [self._store.folder / name for name in sorted(self._store.names())]
            stats = [(file.name, file.stat()) for file in files if file.exists()]
        except OSError:
            return None
        return manifest, [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
