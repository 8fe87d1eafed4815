"""The same on Ray: a cluster of two machines, both of them this one."""

import pandas as pd
import pytest

import recvae as rv
from recvae.errors import DataError, OptionError

pytest.importorskip("ray", reason="needs ray: pip install 'recvae[ray]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # those of Ray, at each of its versions
]


@pytest.fixture(scope="module")
def address():
    """Where a cluster listens."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def contents(folder):
    """All files of a finished job."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_cluster_gives_what_this_process_gives(parts, tmp_path, address):
    options = {"lines": 400, "min_user_items": 10, "min_item_users": 35, "k_core": True}
    for out, where in (("here", None), ("there", address)):
        shards = rv.shard_table(parts, tmp_path / out, **options, address=where)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert len(shards) > 5

    model = rv.MultVAE(latent=4, hidden=(8,), epochs=2, device="cpu").fit(shards)
    model.save(tmp_path / "model")
    lists = {}
    for out, where in (("lists", None), ("far", address)):
        files = rv.recommend_shards(
            tmp_path / "model", tmp_path / "there", tmp_path / out, k=5, device="cpu", address=where
        )
        lists[out] = pd.concat([pd.read_parquet(path) for path in files])
    pd.testing.assert_frame_equal(lists["lists"], lists["far"])


def test_an_error_of_a_task_is_ours(plays, tmp_path, address):
    plays.to_parquet(tmp_path / "plays.parquet")
    with pytest.raises(DataError, match="zero or negative: pass min_weight"):
        rv.shard_table(
            tmp_path / "plays.parquet", tmp_path / "shards", value="plays", address=address
        )


def test_no_cluster_at_the_address(parts, tmp_path, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no")))
    with pytest.raises(OptionError, match=r"no Ray cluster at '10.0.0.7:6379' \(no\)"):
        rv.shard_table(parts, tmp_path / "shards", address="10.0.0.7:6379")
