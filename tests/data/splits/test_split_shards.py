"""Users of shards are held out as those of the same table in memory are."""

import pytest

import recvae as rv
from recvae.errors import OptionError


@pytest.fixture(scope="module")
def table(parts):
    return rv.read_interactions(parts)


@pytest.fixture(scope="module")
def shards(parts, tmp_path_factory):
    return rv.shard_table(parts, tmp_path_factory.mktemp("shards") / "s", lines=1000)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"n_validation": 20, "n_test": 30},
        {"n_validation": 15, "seed": 7},
        {"n_test": 15, "held_out": 0.5},
        {"n_validation": 58, "n_test": 60},  # some items have no training user
    ],
    ids=str,
)
def test_the_same_users_and_the_same_items(shards, table, arguments):
    ours, theirs = rv.split_shards(shards, **arguments), rv.split_users(table, **arguments)
    assert (ours.train.in_memory().matrix != theirs.train.matrix).nnz == 0
    assert ours.train.item_ids.equals(theirs.train.item_ids)
    for one, other in ((ours.validation, theirs.validation), (ours.test, theirs.test)):
        assert one.user_ids.equals(other.user_ids)
        assert (one.fold_in != other.fold_in).nnz == 0
        assert (one.held_out != other.held_out).nnz == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_validation": 60, "n_test": 60}, "there are 120 users"),
        ({"n_test": 2.5}, "must be whole numbers"),
        ({"seed": -1}, "seed=-1"),
        ({"held_out": 1}, "held_out=1"),
    ],
)
def test_what_split_users_refuses(shards, arguments, said):
    with pytest.raises(OptionError, match=said):
        rv.split_shards(shards, **arguments)
