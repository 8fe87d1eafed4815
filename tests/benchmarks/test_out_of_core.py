"""The benchmark of what does not fit into memory, with a table that does."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "out_of_core.py"


@pytest.fixture(scope="module")
def benchmark():
    """The script as a module."""
    spec = spec_from_file_location("out_of_core", PATH)
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel limits memory on Linux only")
def test_the_benchmark_compares_and_limits(benchmark, tmp_path):
    assert benchmark.generate(tmp_path / "plays", 3) >= 3
    with pytest.raises(SystemExit, match="shard failed under the cap of 10 MB"):
        benchmark.limited(10, "shard", tmp_path / "plays", "--out", tmp_path / "none")
    costs = list(benchmark.go_through(tmp_path, 4000, 10_000))
    assert len(costs) == 3
    assert all(100 < cost.megabytes < 4000 for cost in costs)
    assert "the same users, items and weights" in benchmark.compare(tmp_path)
