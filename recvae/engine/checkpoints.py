"""Checkpoints: the state of a training on the disk, from which it goes on. Nothing is unpickled.

A checkpoint is one safetensors file: the tensors, and in its header JSON of all else. It is put in
place in one step, under a name that ends in its checksum.
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recvae.disk import atomic
from recvae.disk.untrusted import require_regular
from recvae.engine.groups import ALONE, Group
from recvae.errors import CheckpointError, difference

logger = logging.getLogger(__name__)

MINUTES = 5.0
"""How often a checkpoint is written within an epoch."""
MAX_COST = 0.05
"""Of the time, what those after epochs may take: where epochs are short, not each has one."""
KEPT = 2
FILES = f"state-{'[0-9]' * 6}-*.safetensors"
DRAFTS = (".state-*", ".tmp*")
"""What a process that was killed while writing leaves behind; `.tmp*` is of safetensors."""


class Checkpoints:
    """The checkpoints of one training in a folder: the last two, and a lock on them.

    Attributes:
        folder: where they are; it is locked while this is entered as a context.
        about: what decides the training, name by name; a checkpoint of another is refused.
        everyone: the processes that train together, each of which keeps its part of the state in
            a folder of its own, at the same steps.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any], everyone: Group = ALONE) -> None:
        self.folder = folder
        self.about = json.loads(json.dumps(about))
        self.everyone = everyone
        self._lock = FileLock(folder / ".lock")
        self._intact: list[Path] = []
        self._number = 0
        self._saved, self._cost = perf_counter(), 0.0

    def __enter__(self) -> Self:
        """Lock the folder.

        Raises:
            CheckpointError: another process works in it, or it can't be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise CheckpointError(
                f"another training is at work in {self.folder}: wait for it, or choose another "
                "folder."
            ) from None
        except OSError as error:
            raise CheckpointError(
                f"checkpoints can't be kept in {self.folder} ({error.strerror}): choose a folder "
                "that can be written."
            ) from error
        for draft in [path for pattern in DRAFTS for path in self.folder.glob(pattern)]:
            draft.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def due(self) -> bool:
        """Whether the last one is so old that a new one should be written."""
        return perf_counter() - self._saved >= 60 * MINUTES

    @property
    def cheap(self) -> bool:
        """Whether the last one is so old that what it cost is a small share of the time since."""
        return self._cost <= MAX_COST * (perf_counter() - self._saved)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a state: dicts and lists of tensors, numbers and text.

        If it can't be written, a warning says so, and what was kept before stays.
        """
        started = perf_counter()
        tensors: dict[str, torch.Tensor] = {}
        facts = {"about": self.about, "state": _taken_out(state, tensors)}
        fill = partial(save_file, tensors, metadata={"json": json.dumps(facts)})
        self._number += 1
        try:
            name, _ = atomic.write(self.folder, f"state-{self._number:06}.safetensors", fill)
            atomic.sync(self.folder)
            self._intact = [*self._intact, self.folder / name][-KEPT:]
            self._remove_others()
        except (OSError, SafetensorError) as error:
            logger.warning("no checkpoint can be written to %s: %s", self.folder, error)
        self._saved = perf_counter()
        self._cost = self._saved - started

    def load(self) -> dict[str, Any] | None:
        """Read the newest state that is intact everywhere; None if there is no checkpoint.

        Raises:
            CheckpointError: all are damaged, or they are of another training.
        """
        paths = sorted(self.folder.glob(FILES), reverse=True)
        number, state = self._newest(paths)
        while (least := -int(self.everyone.max(-number))) < int(self.everyone.max(number)):
            number, state = self._newest([path for path in paths if _number(path) <= least])
        self._number = int(self.everyone.max(max(map(_number, paths), default=0)))
        if self._number and not number:
            raise CheckpointError(
                f"no checkpoint in {self.folder} is intact for all processes: remove it to begin "
                "anew."
            )
        return state

    def _newest(self, paths: list[Path]) -> tuple[int, dict[str, Any] | None]:
        """The number of the first that is intact, and its state; 0 and None if there is none."""
        self._intact = []
        for path in paths:
            try:
                facts = _read(path)
            except Exception as error:  # whatever a parser makes of a damaged file
                logger.warning("%s is damaged (%s): the one before it is read.", path, error)
                continue
            self._require_same(facts["about"])
            self._intact = [path]
            return _number(path), facts["state"]
        if paths:
            raise CheckpointError(
                f"all checkpoints in {self.folder} are damaged: remove it to begin anew."
            )
        return 0, None

    def _require_same(self, before: Mapping[str, Any]) -> None:
        if other := difference(before, self.about):
            raise CheckpointError(
                f"{self.folder} holds a training with {other}: give the same, or choose another "
                "folder."
            )

    def _remove_others(self) -> None:
        for path in self.folder.glob(FILES):
            if path not in self._intact:
                path.unlink()


def has_checkpoints(folder: Path) -> bool:
    """Whether a folder, or one in it, has checkpoints."""
    return next(folder.rglob(FILES), None) is not None


def _number(path: Path) -> int:
    return int(path.name.split("-")[1])


def _read(path: Path) -> dict[str, Any]:
    require_regular(path)
    with safe_open(path, "pt") as file:  # it is as long as its header says, so it has an end
        if not path.stem.endswith(f"-{atomic.sha256(path)[:12]}"):
            raise ValueError("its checksum is not the one in its name")
        facts = json.loads(file.metadata()["json"])
        state = _put_back(facts["state"], lambda name: file.get_tensor(name).clone())
    return {"about": dict(facts["about"]), "state": state}


def _taken_out(state: Any, tensors: dict[str, torch.Tensor], name: str = "state") -> Any:
    """The state with names in the place of its tensors, which are put into `tensors`."""
    match state:
        case torch.Tensor():
            tensors[name] = state.detach().cpu().contiguous()
            return {"tensor": name}
        case dict():
            return {key: _taken_out(part, tensors, f"{name}.{key}") for key, part in state.items()}
        case list():
            return [_taken_out(part, tensors, f"{name}.{n}") for n, part in enumerate(state)]
    return state


def _put_back(state: Any, tensor: Callable[[str], torch.Tensor]) -> Any:
    match state:
        case {"tensor": str(name), **others} if not others:
            return tensor(name)
        case dict():
            return {key: _put_back(part, tensor) for key, part in state.items()}
        case list():
            return [_put_back(part, tensor) for part in state]
    return state
