"""Checkpoints: the state of a training on the disk, from which it goes on. Nothing is unpickled.

Two are kept: the last one, and the one before in case the last is damaged. Each is a store with one
safetensors file: the tensors, and JSON of everything else in its header. The next checkpoint
overwrites the older one.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from operator import itemgetter
from os.path import lexists
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recvae.disk.manifest import DifferentError, MissingError
from recvae.disk.store import LOCK, Store, Stored, locked
from recvae.engine.groups import ALONE, Group
from recvae.engine.states import count
from recvae.errors import CheckpointError

logger = logging.getLogger(__name__)

MINUTES = 5.0
"""How often a checkpoint is written within an epoch."""
MAX_COST = 0.05
"""The fraction of the time that checkpoints after epochs may take; short epochs do without."""
KIND = "checkpoint"
PLACES = ("state-0", "state-1")


class Checkpoints:
    """The checkpoints of one training in a folder: the last two, and a lock on them.

    Attributes:
        folder: where they are; it is locked while this is entered as a context.
        about: facts that decide the training, by name; a checkpoint with other facts is refused.
        everyone: the processes that train together. Each keeps its part of the state in a folder of
            its own; all write at the same steps.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any], everyone: Group = ALONE) -> None:
        self.folder = folder
        self.about = about
        self.everyone = everyone
        self._lock = ExitStack()
        self._places = [Store(folder / name, KIND) for name in PLACES]  # the next to write first
        self._number = 0
        self._saved, self._cost = perf_counter(), 0.0

    def __enter__(self) -> Self:
        """Lock the folder.

        Raises:
            CheckpointError: another process works in it, or it can't be written.
        """
        busy = CheckpointError(
            f"another training is at work in {self.folder}: wait for it, or choose another folder."
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(locked(self.folder / LOCK, busy))
        except OSError as error:
            raise CheckpointError(
                f"checkpoints can't be kept in {self.folder} ({error.strerror}): choose a folder "
                "that can be written."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint within an epoch."""
        return perf_counter() - self._saved >= 60 * MINUTES

    @property
    def cheap(self) -> bool:
        """Whether the last checkpoint took at most `MAX_COST` of the time since it was written."""
        return self._cost <= MAX_COST * (perf_counter() - self._saved)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a state: dicts and lists of tensors, numbers and text.

        If it can't be written, a warning says so, and the earlier checkpoints stay.
        """
        started = perf_counter()
        rest, tensors = _packed(state)
        fill = partial(save_file, tensors, metadata={"json": rest})
        self._number += 1
        try:
            self._places[0].save(
                {"state.safetensors": fill}, about=self.about, facts={"number": self._number}
            )
            # Only after a success do the places change roles: the next goes over the older one.
            self._places.reverse()
        except (OSError, SafetensorError) as error:
            logger.warning("no checkpoint can be written to %s: %s", self.folder, error)
        self._saved = perf_counter()
        self._cost = self._saved - started

    def load(self) -> dict[str, Any] | None:
        """Read the newest state that is intact for all processes; None if there is no checkpoint.

        Raises:
            CheckpointError: all are damaged for some process, or they are of another training.
        """
        # First each process reads its own newest intact checkpoint, whose number may be 0: none.
        found = self._found()
        number, state = self._newest(found)
        # Another process may have been killed before it wrote its last one, or that one may be
        # damaged. So the least number of all processes is an upper bound: each reads its newest up
        # to it. This may lower the least again; it ends when all have the same number.
        while (least := -int(self.everyone.max(-number))) < int(self.everyone.max(number)):
            number, state = self._newest([one for one in found if one[0] <= least])
        # Go on counting after the highest number that was found anywhere, so that no number is
        # ever given to two different states.
        self._number = int(self.everyone.max(max((number for number, _ in found), default=0)))
        if not number and (self._number or any(lexists(one.manifest) for one in self._places)):
            whose = " for all processes" if self.everyone.size > 1 else ""
            raise CheckpointError(
                f"no checkpoint in {self.folder} is intact{whose}: remove it to begin anew."
            )
        return state

    def _found(self) -> list[tuple[int, Stored]]:
        """The checkpoints with a readable manifest and their numbers, the newest first."""
        found = []
        for place in self._places:
            try:
                saved = place.read(self.about)
                found.append((count(saved.facts["number"], 1), saved))
            except MissingError:
                continue
            except DifferentError as error:
                raise CheckpointError(
                    f"{self.folder} holds a training with {error}: give the same, or choose "
                    "another folder."
                ) from None
            except Exception as error:  # whatever a parser makes of a damaged file
                logger.warning("%s is damaged: %s", place.manifest, error)
        return sorted(found, key=itemgetter(0), reverse=True)

    def _newest(self, found: list[tuple[int, Stored]]) -> tuple[int, dict[str, Any] | None]:
        """The first intact checkpoint: its number and its state; 0 and None if there is none."""
        for number, saved in found:
            try:
                state = _read(saved)
            except Exception as error:  # whatever a parser makes of a damaged file
                logger.warning("%s is damaged: %s", saved.store.folder, error)
                continue
            # The place that was read comes last: the next checkpoint goes over the other one.
            self._places.sort(key=lambda place: place == saved.store)
            return number, state
        return 0, None


def has_checkpoints(folder: Path) -> bool:
    """Whether a folder or one of its subfolders has checkpoints."""
    return next(folder.rglob(f"{KIND}.json"), None) is not None


def _read(saved: Stored) -> dict[str, Any]:
    with safe_open(saved.path("state"), "pt") as file:
        state = _unpacked(file.metadata()["json"], lambda name: file.get_tensor(name).clone())
        return dict(state)


def _packed(state: Mapping[str, Any]) -> tuple[str, dict[str, torch.Tensor]]:
    """A state as JSON with names instead of its tensors, and the tensors by name."""
    tensors: dict[str, torch.Tensor] = {}

    def named(tensor: torch.Tensor) -> dict[str, str]:
        name = str(len(tensors))
        tensors[name] = tensor.detach().cpu().contiguous()
        return {"tensor": name}

    return json.dumps(state, default=named), tensors


def _unpacked(text: str, tensor: Callable[[str], torch.Tensor]) -> Any:
    """A state from JSON, with the tensors that it names."""

    def put_back(part: dict[str, Any]) -> Any:
        name = part.get("tensor")
        return tensor(name) if isinstance(name, str) and len(part) == 1 else part

    return json.loads(text, object_hook=put_back)
