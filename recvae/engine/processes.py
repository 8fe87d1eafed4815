"""Processes: those that torchrun has started to train one model.

They are a grid: those of a row share the items of the net, those of a column share the users of
each batch. A process that is alone has all of both, and tells nobody.
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
    """Those that train one model.

    Attributes:
        everyone: all of them.
        users: those that have the same items as this one, and share the users of a batch.
        items: those that have the same users as this one, and share the items.
    """

    everyone: Group = ALONE
    users: Group = ALONE
    items: Group = ALONE


ONE = Processes()

_CURRENT = ContextVar("processes", default=ONE)


def current() -> Processes:
    """Those that train together now."""
    return _CURRENT.get()


@contextmanager
def joined(item_shards: int | None = None) -> Iterator[Processes]:
    """Train with the processes that torchrun has started; alone, if it has not.

    Args:
        item_shards: how many of them share the items of a net; None for all. As many as are left
            then share the users of each batch.

    Raises:
        OptionError: they can't be shared among so many.
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
    """Connect the processes that torchrun has started, if they are not yet; give their number."""
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
