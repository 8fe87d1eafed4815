"""The same on Ray: a cluster of two machines, both of them this one."""

from shutil import copytree

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

    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def model(parts, tmp_path_factory):
    """A folder with a model, and the shards that it was trained on."""
    folder = tmp_path_factory.mktemp("ray")
    shards = rv.shard_table(parts, folder / "shards", lines=150)
    assert len(shards) > 5
    rv.MultVAE(latent=4, hidden=(8,), epochs=2, device="cpu").fit(shards).save(folder / "model")
    return folder


def recommend(folder, out, address):
    """The lists for all users."""
    return rv.recommend_shards(
        folder / "model", folder / "shards", out, k=5, device="cpu", address=address
    )


def test_a_cluster_gives_what_this_process_gives(model, tmp_path, address):
    here, there = (
        pd.concat(map(pd.read_parquet, recommend(model, tmp_path / out, where)))
        for out, where in (("here", None), ("there", address))
    )
    pd.testing.assert_frame_equal(here, there)


def test_an_error_of_a_task_is_ours(model, tmp_path, address):
    folder = copytree(model, tmp_path / "copy")
    (folder / "shards" / "shard-00003.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"shard-00003.* is damaged"):
        recommend(folder, tmp_path / "lists", address)


def test_no_cluster_at_the_address(model, tmp_path, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no")))
    with pytest.raises(OptionError, match=r"no Ray cluster at '10.0.0.7:6379' \(no\)"):
        recommend(model, tmp_path / "lists", "10.0.0.7:6379")
