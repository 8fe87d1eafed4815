import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.splits import split_items, split_users
from recvae.errors import OptionError


@pytest.fixture(scope="module")
def data():
    return Interactions.from_matrix(sp.random(200, 50, 0.3, "csr", random_state=0))


@pytest.fixture(scope="module")
def split(data):
    return split_items(data, 40, 40)


def cold(interactions):
    return interactions.item_counts == 0


def test_items_are_cold_for_validation_or_for_test(split):
    for_test = cold(split.final)
    for_validation = cold(split.train) & ~for_test
    assert (for_test.sum(), for_validation.sum()) == (5, 5)
    assert split.train.shape == split.final.shape
    for holdout, own in ((split.validation, for_validation), (split.test, for_test)):
        assert not own[holdout.fold_in.indices].any()
        assert own[holdout.held_out.indices].any()
        assert (~own[holdout.held_out.indices]).any()
    assert not for_test[split.validation.held_out.indices].any()


def test_one_item_is_cold_at_least(data):
    split = split_items(data, 40, 40, cold=0.01)
    assert (cold(split.final).sum(), cold(split.train).sum()) == (1, 2)


def test_all_cold_items_of_a_user_are_held_out(data, split):
    columns = np.flatnonzero(cold(split.final))
    rows = data.user_ids.get_indexer(split.test.user_ids)
    raw = split.train.item_ids[columns]
    expected = data.matrix[rows][:, raw] > 0
    assert (expected != (split.test.held_out[:, columns] > 0)).nnz == 0


def test_users_are_those_of_split_users(data, split):
    users = split_users(data, 40, 40)
    assert split.train.user_ids.equals(users.train.user_ids)
    assert split.test.user_ids.isin(users.test.user_ids).all()


def test_seeds_and_impossible_fractions(data, split):
    again, other = split_items(data, 40, 40), split_items(data, 40, 40, seed=1)
    assert again.train.fingerprint() == split.train.fingerprint() != other.train.fingerprint()
    for wrong in (0, 0.5, -1):
        with pytest.raises(OptionError, match="cold="):
            split_items(data, 40, 40, cold=wrong)


def test_splits_by_users_keep_the_items_that_nobody_has(data):
    table = pd.DataFrame({"item": [3, 50, 51], "title": ["known", "new", "newer"]})
    grown = data.with_items(table)
    assert (grown.shape, grown.matrix.nnz) == ((200, 52), data.matrix.nnz)
    assert grown.items["title"].tolist()[-2:] == ["new", "newer"]
    assert grown.items["title"][3] == "known"
    assert list(split_users(grown, 40, 40).train.item_ids[-2:]) == [50, 51]
