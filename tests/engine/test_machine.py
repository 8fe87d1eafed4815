import os

import pytest

from recvae.engine import machine

GIB = 2**30


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Write the files of control groups, and say which groups this process is in."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)

    def write(own: str, files: dict[str, str]) -> None:
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_without_groups_all_cores_and_all_memory(groups):
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    assert machine.cores() == 8
    assert machine.gigabytes() == physical


def test_version_2_in_a_container(groups):
    groups("0::/\n", {"cpu.max": "150000 100000\n", "memory.max": f"{GIB}\n"})
    assert machine.cores() == 1.5
    assert machine.gigabytes() == GIB / 1e9


def test_a_parents_limit_holds_too(groups):
    files = {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000", "a/memory.max": "max"}
    groups("0::/a/b\n", files)
    assert machine.cores() == 2


def test_version_1(groups):
    files = {
        "cpu/x/cpu.cfs_quota_us": "300000",
        "cpu/x/cpu.cfs_period_us": "100000",
        "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/y/memory.limit_in_bytes": f"{GIB}",
        "memory/memory.limit_in_bytes": "9223372036854771712",
    }
    groups("5:memory:/y\n4:cpu,cpuacct:/x\n1:name=systemd:/z\n0::/\n", files)
    assert machine.cores() == 3
    assert machine.gigabytes() == GIB / 1e9


def test_a_path_of_the_host_is_not_there(groups):
    groups("0::/docker/1234\n", {"cpu.max": "100000 100000"})
    assert machine.cores() == 1


def test_a_name_within_a_name_is_another_controller(groups):
    files = {"cpu/x/cpu.cfs_quota_us": "100000", "cpu/x/cpu.cfs_period_us": "100000"}
    groups("5:cpuset:/x\n4:cpu:/\n", files)
    assert machine.cores() == 8


def test_a_path_may_hold_colons(groups):
    groups("0::/a:b\n", {"a:b/cpu.max": "100000 100000"})
    assert machine.cores() == 1


def test_a_system_that_tells_no_memory(groups, monkeypatch):
    monkeypatch.setattr(os, "sysconf_names", {})
    assert machine.gigabytes() == float("inf")
