"""Tasks: runs numbered tasks, in this process or on a Ray cluster."""

import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from recvae import errors
from recvae.display.progress import progress
from recvae.packages import optional

Task = Callable[[int], object]
"""Does the task of a number. It is sent to other machines: so it has paths, but no data."""


def run(work: Task, n_tasks: int, label: str, *, address: str | None, gpus: float = 0) -> None:
    """Do tasks 0 to n - 1.

    Without an address they are done one after another in this process. "local" starts Ray on this
    machine; "auto", or a host and port, connects to a running cluster. There a task takes `gpus`,
    which may be a fraction of one.

    Raises:
        MissingPackageError: an address was given, and Ray is not installed.
        OptionError: there is no cluster at the address.
        RecvaeError, OSError: an error that a task raised.
    """
    if address is None:
        for number in progress(range(n_tasks), label, unit="task"):
            work(number)
    elif n_tasks:
        _connect(address)
        _run_on_ray(work, n_tasks, label, gpus)


def _connect(address: str) -> None:
    """Start Ray or connect to it, unless this process has done so."""
    ray = optional("ray", "'recvae[ray]'")
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError) as error:
        raise errors.OptionError(
            f"there is no Ray cluster at {address!r} ({str(error).splitlines()[0]}): start one "
            "with `ray start --head`, or give --address local."
        ) from None


def _run_on_ray(work: Task, n_tasks: int, label: str, gpus: float) -> None:
    data = optional("ray.data", "'recvae[ray]'")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    data.DataContext.get_current().enable_progress_bars = False
    numbers = data.range(n_tasks, override_num_blocks=n_tasks)
    done = numbers.map(partial(_do, work=work), num_cpus=1, num_gpus=gpus or None)
    for row in progress(done.iter_rows(), label, unit="task", total=n_tasks):
        if row["error"]:
            raise getattr(errors, row["error"], OSError)(row["message"])


def _do(row: dict[str, Any], work: Task) -> dict[str, Any]:
    """Do a task; its error is returned as text, since Ray does not transport our errors."""
    try:
        work(row["id"])
    except (errors.RecvaeError, OSError) as error:
        return {"error": type(error).__name__, "message": str(error)}
    return {"error": "", "message": ""}
