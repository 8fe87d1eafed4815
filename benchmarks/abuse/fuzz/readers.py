"""Readers: what reads tables and ratings from outside, each as a function of a file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import recvae as rv
from recvae.data.datasets.releases import RELEASES
from recvae.data.datasets.tables import read_file
from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions

NAMES: dict[str, Any] = {"user": "u", "item": "i"}
ALL = NAMES | {"value": "v", "timestamp": "t"}
SEEDS = [
    b"u,i,v,t\nann,x,1.5,2018-04-23\nbob,y,2,2019-01-01T00:00:00Z\n",
    b"u\ti\tv\tt\n1\t7\t3\t978300760\n2\t8\t4\t978300761\n",
    b'"u";"i";"v";"t"\n"a ""b""";7;1e3;1\n\xe9;007;0;-1\n',
    b"1,7,3,978300760\n1,7,5,978300761\n",
    b"1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n885013,4,2005-10-19\n",
    b"1::1193::5::978300760\n1::661::3::978302109\n",
    b'movieId,title,genres\n1,"Story, A (1995)",Drama|Comedy\n',
    b"1|24|M|technician|85711\n2|53|F|other|94043\n",
]


def readers() -> list[Callable[[Path], object]]:
    """All of them: of tables of any kind, and of each file of a published data set."""
    releases = {id(release.layout): release for release in RELEASES.values()}.values()
    return [
        lambda path: rv.read_interactions(path, **NAMES),
        lambda path: rv.read_interactions(path, **ALL, min_weight=1.0, duplicates="max"),
        lambda path: rv.read_interactions(path, **ALL, columns=[*"uivt"], duplicates="last"),
        *(
            partial(read_file, release=release, file=file)
            for release in releases
            for file in (*release.layout.interaction_files, release.layout.tags)
            if file
        ),
    ]


def require_sound(data: object) -> None:
    """Raise AssertionError unless a reader has given what it promises."""
    if isinstance(data, pd.DataFrame):
        assert len(data) > 0
        assert not data.isna().any(axis=None)
    if isinstance(data, Interactions):
        data.matrix.check_format(full_check=True)
        assert data.matrix.dtype == np.float32
        assert np.isfinite(data.matrix.data).all()
        assert (data.matrix.data > 0).all()
        assert data.timestamps is None or data.timestamps.dtype in (np.int64, np.float64)
        require_ids(data.user_ids, "user")
        require_ids(data.item_ids, "item")
        assert len(data.fingerprint()) == 16
