"""The benchmark of what does not fit into memory, with a table that does."""

import sys

import pytest

from benchmarks.speed import out_of_core


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel limits memory on Linux only")
def test_the_benchmark_compares_and_limits(tmp_path):
    assert out_of_core.generate(tmp_path / "plays", 3) >= 3
    with pytest.raises(SystemExit, match="shard failed under the cap of 10 MB"):
        out_of_core.limited(10, "shard", tmp_path / "plays", "--out", tmp_path / "none")
    costs = list(out_of_core.go_through(tmp_path, 4000, 10_000))
    assert len(costs) == 3
    assert all(100 < cost.megabytes < 4000 for cost in costs)
    assert "the same users, items and weights" in out_of_core.compare(tmp_path)
