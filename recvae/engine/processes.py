"""Processes: those that torchrun has started to train one model.

They form a grid, as in a PyTorch device mesh. Processes of a column are data parallel: each takes
other users of a batch. Processes of a row are tensor parallel over the items: each has the weights
of other items. A process that is alone has all users and all items.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from recvae.engine.groups import ALONE, Group
from recvae.errors import OptionError


@dataclass(frozen=True)
class Processes:
    """The processes that train one model, as this process sees them.

    Attributes:
        everyone: all processes.
        users: the data parallel group: they have the same items, and each other users of a batch.
        items: the tensor parallel group: they have the same users, and each other items.
    """

    everyone: Group = ALONE
    users: Group = ALONE
    items: Group = ALONE


ONE = Processes()

_CURRENT = ContextVar("processes", default=ONE)


def current() -> Processes:
    """The processes that train together in this context; one alone if nothing was joined."""
    return _CURRENT.get()


@contextmanager
def joined(item_shards: int | None = None) -> Iterator[Processes]:
    """Train with the processes that torchrun has started; alone, if it has not.

    Args:
        item_shards: over how many processes the items of a net are divided (tensor parallel); None
            for all. The users of a batch are divided over n / item_shards of them (data parallel).

    Raises:
        OptionError: the number of processes can't be divided by item_shards.
    """
    with connected() as n:
        if n % (item_shards or n):
            raise OptionError(
                f"{item_shards} shards of the items can't be spread evenly over {n} processes: "
                "choose another item_shards, or other processes by torchrun --nproc-per-node."
            )
        token = _CURRENT.set(_grid(n, item_shards or n))
        try:
            yield current()
        finally:
            _CURRENT.reset(token)


@contextmanager
def connected() -> Iterator[int]:
    """Connect the processes that torchrun has started, unless they are; give their number."""
    if dist.is_initialized() or not dist.is_torchelastic_launched():
        yield dist.get_world_size() if dist.is_initialized() else 1
        return
    rank_here = int(os.environ["LOCAL_RANK"])
    if rank_here < torch.cuda.device_count():
        torch.cuda.set_device(rank_here)
    store, rank, size = next(rendezvous("env://"))
    life = os.environ["TORCHELASTIC_RESTART_COUNT"]  # what another life has stored is out of date
    dist.init_process_group(store=PrefixStore(life, store), rank=rank, world_size=size)
    try:
        yield dist.get_world_size()
        dist.barrier()
    finally:
        dist.destroy_process_group()


def _grid(n: int, item_shards: int) -> Processes:
    if n == 1:
        return ONE
    sizes, names = (n // item_shards, item_shards), ("users", "items")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    mesh = init_device_mesh(device, sizes, mesh_dim_names=names)
    users, items = (
        Group(mesh.get_local_rank(name), size, mesh.get_group(name))
        for name, size in zip(names, sizes, strict=True)
    )
    return Processes(Group(dist.get_rank(), n, dist.group.WORLD), users, items)
