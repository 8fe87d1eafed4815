"""The live model: the model that is in a folder now, also after a new one was saved there."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from recvae.disk.manifest import MAX_BYTES
from recvae.disk.untrusted import read_file
from recvae.models import load_model
from recvae.saved.manifest import MANIFEST
from recvae.serving.served_model import ServedModel

logger = logging.getLogger(__name__)


class LiveModel:
    """The model in a folder, replaced in one step when another is saved there.

    Code that has read `now` keeps using that model until it is done.
    """

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model.

        Raises:
            MissingFileError, ModelFileError, OptionError: see `recvae.load_model`.
            FoldInError: the model can't serve new users.
        """
        self._folder = folder
        self._device = device
        self._seen = self._manifest()
        self.now = self._load()

    async def watch(self, seconds: float, on_load: Callable[[bool], None]) -> None:
        """Check the manifest at this interval until cancelled; report each load's success."""
        while True:
            await asyncio.sleep(seconds)
            if (manifest := self._manifest()) != self._seen and manifest is not None:
                self._seen = manifest
                on_load(await asyncio.to_thread(self._replace))

    def _replace(self) -> bool:
        try:
            self.now = self._load()
        except Exception as error:
            logger.warning("the new model is not served, the old one still is: %s", error)
            return False
        logger.info("a new model is served: %s", self.now.model.name)
        return True

    def _load(self) -> ServedModel:
        return ServedModel(load_model(self._folder, device=self._device))

    def _manifest(self) -> bytes | None:
        """The content of the manifest, or None if it can't be read now."""
        try:
            return read_file(self._folder / MANIFEST, MAX_BYTES)
        except OSError:
            return None
