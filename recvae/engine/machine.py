"""Machine: the cores and the memory that this process may use, be it in a container or not.

Linux divides a machine by control groups. Each group has a folder of files that hold its limits,
and lies in the folder of its parent, whose limits are on it too.
"""

import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
GIGA = 1e9


def cores() -> float:
    """How many cores this process may use: those it may run on, or less by a quota of its group."""
    runs_on = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min([float(runs_on or 1), *_quotas()])


def gigabytes() -> float:
    """The memory of this machine, or less by a limit of its group; infinite if it is not known."""
    names = getattr(os, "sysconf_names", {})
    known = "SC_PHYS_PAGES" in names
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if known else float("inf")
    limits = _numbers("memory", "memory.max", "memory.limit_in_bytes")
    return min([physical, *(limit for (limit,) in limits)]) / GIGA


def _quotas() -> Iterator[float]:
    """The quotas on this process, in cores: so much time in each period."""
    for time, period in _numbers("cpu", "cpu.max"):
        yield time / period
    times = _numbers("cpu", "cpu.cfs_quota_us")
    periods = _numbers("cpu", "cpu.cfs_period_us")
    for (time,), (period,) in zip(times, periods, strict=True):
        if time > 0:  # -1 is none
            yield time / period


def _numbers(controller: str, *names: str) -> Iterator[list[float]]:
    """What the files of these names say in the folders of this process's groups, from the root."""
    for folder in _folders(controller):
        for name in names:
            try:
                words = (folder / name).read_text().split()
            except OSError:
                continue
            if "max" not in words:
                yield [float(word) for word in words]


def _folders(controller: str) -> Iterator[Path]:
    """The folders of this process's groups of a controller, and of their parents.

    A line of the file is `number:controllers:path`; version 2, which has one group for all
    controllers, names none. In a container the path may be the host's, of which only the root is
    there.
    """
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = GROUPS / controller if controllers else GROUPS
        own = root / path.lstrip("/")
        yield from (one for one in (own, *own.parents) if one.is_relative_to(root))
