"""Training from shards: every user once an epoch, in an order that a checkpoint can go on with."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import recvae as rv
from recvae.engine.batch import Batch
from recvae.engine.batches import WINDOW, Batches, Streamed
from recvae.errors import DataError, OptionError
from recvae.models import MODELS
from recvae.models.contract.inputs import as_input

CPU = torch.device("cpu")
SMALL = {"latent": 4, "hidden": (8,), "width": 8, "n_components": 4, "epochs": 2, "device": "cpu"}
SMALL |= {"members": "ease,als"}
STREAMING = ("elsa", "graph-ae", "mult-dae", "mult-vae", "popularity", "rec-vae", "vamp-vae")


@pytest.fixture(scope="module")
def shards(parts, tmp_path_factory):
    return rv.shard_table(parts, tmp_path_factory.mktemp("streaming") / "shards", lines=150)


def batches(shards, size=7, seed=0):
    return Batches(Streamed(shards, CPU), size, np.random.default_rng(seed))


def rows(batch: Batch) -> list[tuple]:
    """Each user's items and weights."""
    parts = batch.offsets[1:-1]
    pairs = zip(batch.columns.tensor_split(parts), batch.values.tensor_split(parts), strict=True)
    return [(*columns.tolist(), *values.tolist()) for columns, values in pairs]


@pytest.mark.slow
def test_every_user_comes_once_in_a_new_order(shards, parts):
    stream = batches(shards)
    epochs = [[row for batch in stream for row in rows(batch)] for _ in range(2)]
    matrix = rv.read_interactions(parts).matrix
    everyone = rows(Batch.of(matrix, CPU))
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(everyone)
    assert epochs[0] != epochs[1]
    assert epochs[0] == [row for batch in batches(shards) for row in rows(batch)]
    assert epochs[0] != [row for batch in batches(shards, seed=1) for row in rows(batch)]


def test_weights_that_can_not_be_squared_are_refused(tmp_path):
    table = pa.table({"user": [1, 2, 3], "item": [1, 1, 1], "weight": [1.0, 1e30, 1.0]})
    pq.write_table(table, tmp_path / "table.parquet")
    shards = rv.shard_table(tmp_path / "table.parquet", tmp_path / "shards", value="weight")
    with pytest.raises(DataError, match=r"1e\+15"):
        build("mult-vae", input="counts").fit(shards)


def test_users_of_several_shards_are_mixed(shards):
    assert len(shards) > 2 * WINDOW
    home = {
        row: n for n in range(len(shards)) for row in rows(Batch.of(shards.read(n).matrix, CPU))
    }
    homes = [len({home[row] for row in rows(batch)}) for batch in batches(shards, size=10)]
    assert np.median(homes) >= WINDOW - 1
    assert max(homes) <= 2 * WINDOW


@pytest.mark.parametrize("size", [1, 7, 30, 1000])
def test_batches_are_full_but_for_the_last(shards, size):
    lengths = [len(batch) for batch in batches(shards, size)]
    assert len(lengths) == len(batches(shards, size))
    assert set(lengths[:-1]) <= {size}
    assert sum(lengths) == shards.shape[0]


@pytest.mark.parametrize("n_done", [0, 1, 5, 11, 17])
def test_a_stream_goes_on_from_its_state(shards, n_done):
    stream = batches(shards)
    list(stream)
    whole = iter(stream)
    for _ in range(n_done):
        next(whole)
    other = batches(shards, seed=9)
    other.load_state_dict(stream.state_dict())
    theirs, ours = ([rows(batch) for batch in one] for one in (whole, other))
    assert theirs == ours
    assert [rows(batch) for batch in stream] == [rows(batch) for batch in other]


def test_going_on_reads_no_shard_that_is_done(shards, monkeypatch):
    stream, seen, read = batches(shards, size=10), [], type(shards).read
    monkeypatch.setattr(type(shards), "read", lambda *args: seen.append(args[1]) or read(*args))
    list(stream)
    assert sorted(seen) == list(range(len(shards)))
    seen.clear()
    again = batches(shards, size=10)
    again.load_state_dict(again.state_dict() | {"done": 11})
    list(again)
    assert 0 < len(seen) < len(shards)


def build(name, **changes):
    fields = MODELS[name].__dataclass_fields__
    options = SMALL | changes
    return rv.build_model(name, {key: options[key] for key in options if key in fields})


@pytest.mark.parametrize("name", STREAMING)
def test_some_models_learn_from_shards(name, shards):
    split = rv.split_shards(shards, 20, 30)
    model = build(name, input="counts").fit(split.train, split.validation)
    assert model.n_users_ == split.train.shape[0]
    np.testing.assert_array_equal(model.item_counts_, split.train.item_counts)
    ids, _ = model.recommend(split.test.fold_in, k=3)
    assert ids.shape == (split.test.fold_in.shape[0], 3)


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(STREAMING)))
def test_others_say_so(name, shards):
    with pytest.raises(OptionError, match=r"needs all users in memory .* such as MultVAE"):
        build(name).fit(shards)


def test_in_one_batch_it_is_the_training_in_memory(shards, parts):
    """With all users in a batch the order does not count, but for rounding."""
    options = {"epochs": 4, "dropout": 0.0, "batch_size": 10**6}
    data = rv.read_interactions(parts)
    models = [build("mult-dae", **options).fit(some) for some in (shards, data)]
    one, other = (model.history_["loss"].to_numpy() for model in models)
    assert one[0] == pytest.approx(other[0], rel=0.05)
    assert shards.weighed(as_input).in_memory().matrix.sum() == data.matrix.nnz


def test_a_training_from_shards_goes_on_bit_for_bit(shards, tmp_path):
    split = rv.split_shards(shards, 20, 30)
    whole = build("mult-vae", epochs=3).fit(split.train, split.validation)

    def stop(epoch, _):
        if epoch == 2:
            raise KeyboardInterrupt

    half = build("mult-vae", epochs=3)
    half.fit(split.train, split.validation, on_epoch=stop, checkpoints=tmp_path)
    assert half.interrupted_
    resumed = build("mult-vae", epochs=3)
    resumed.fit(split.train, split.validation, checkpoints=tmp_path)
    for name, tensor in whole.state().items():
        assert torch.equal(tensor, resumed.state()[name])
    assert whole.history_["loss"].equals(resumed.history_["loss"])
