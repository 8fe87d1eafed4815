import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.metrics import roc_auc_score

import recvae as rv
from recvae.errors import DataError, OptionError
from recvae.latent import anomaly_scores, inject_shilling
from recvae.ranking import blocks

ATTACKS = ["random", "average", "bandwagon", "segment"]


@pytest.fixture(scope="module")
def ratings():
    """Items of even columns are rated 4 or 5, those of odd ones 1 or 2; nobody has the last."""
    rng = np.random.default_rng(0)
    matrix = sp.random(200, 30, 0.4, format="csr", rng=rng, dtype=np.float32)
    columns = matrix.indices
    matrix.data[:] = np.where(columns % 2 == 0, 4, 1) + rng.integers(0, 2, matrix.nnz)
    return rv.Interactions.from_matrix(sp.hstack([matrix, sp.csr_matrix((200, 1))], format="csr"))


def false_users(data):
    return data.matrix[data.users["shilling"].to_numpy(dtype=bool)]


def inject(ratings, attack, **options):
    segment = [3, 5] if attack == "segment" else None
    return inject_shilling(ratings, attack, 7, segment=segment, **options)


def nats(model, known, item):
    """Of an item, given the only other one of a history, among all others."""
    scores = model.score(known).numpy()[0].astype(np.float64)
    others = np.delete(scores, known.indices)
    return np.log(np.exp(others).sum()) - scores[item]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mult-vae", "mult-dae", "residual-vae", "ensemble"])
def test_two_items_predict_one_another(name, models, matrix):
    model, both = models[name], sp.csr_matrix(([3.0, 3.0], [2, 9], [0, 2]), (1, matrix.shape[1]))
    alone = [sp.csr_matrix(([1.0], [item], [0, 1]), both.shape) for item in (2, 9)]
    expected = [nats(model, alone[1], 2), nats(model, alone[0], 9)]
    found = anomaly_scores(model, both).loc[0]
    assert found["surprisal"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert found["score"] == pytest.approx(max(expected), rel=1e-4)


def test_one_item_is_predicted_from_nothing(vae, matrix):
    one = sp.csr_matrix(([1.0], [5], [0, 1]), (1, matrix.shape[1]))
    found = anomaly_scores(vae, one).loc[0, ["score", "surprisal"]].to_numpy(dtype=float)
    nothing = sp.csr_matrix(one.shape, dtype=np.float32)
    np.testing.assert_allclose(found, nats(vae, nothing, 5), rtol=1e-4)


@pytest.mark.parametrize(("n", "tail"), [(4, 2), (5, 3)])
def test_the_score_is_of_the_less_expected_half(n, tail, vae, matrix, monkeypatch):
    """Of items so rare that it does not matter which of them are known."""
    logits = np.append(np.zeros(matrix.shape[1] - n), -np.arange(20.0, 20 + n)).astype("f4")
    scores = torch.from_numpy(logits)
    monkeypatch.setattr(vae, "score", lambda rows: scores.repeat(rows.shape[0], 1))
    row = sp.csr_matrix(logits < 0, dtype=np.float32)
    expected = np.log(matrix.shape[1] - n) - logits[-n:]
    found = anomaly_scores(vae, sp.vstack([row, row], format="csr"))
    np.testing.assert_allclose(found["surprisal"], expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(found["score"], expected[-tail:].mean(), rtol=1e-5)


def test_the_code_is_of_the_whole_history(models, matrix):
    mean, logvar = models["mult-vae"].encode(matrix[2])
    kl = 0.5 * float((mean**2 + np.exp(logvar) - logvar - 1).sum()) / matrix[2].nnz
    assert anomaly_scores(models["mult-vae"], 3 * matrix)["kl"][2] == pytest.approx(kl, rel=1e-4)
    assert (anomaly_scores(models["mult-dae"], matrix)["kl"] == 0).all()


def test_the_seed_halves(vae, matrix):
    one, same, other = (anomaly_scores(vae, matrix, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same)
    assert (one["surprisal"] != other["surprisal"]).mean() > 0.9


def test_the_odd_are_odder(vae, matrix):
    """Users of one taste, and as long ones of no taste at all."""
    rng = np.random.default_rng(1)
    rows = [rng.choice(matrix.shape[1], n, replace=False) for n in np.diff(matrix.indptr)]
    noise = sp.csr_matrix((matrix.data, np.concatenate(rows), matrix.indptr), shape=matrix.shape)
    scores = anomaly_scores(vae, sp.vstack([matrix, noise], format="csr"))["score"]
    assert roc_auc_score(np.arange(len(scores)) >= matrix.shape[0], scores) > 0.9


def test_oddity_does_not_depend_on_the_blocks(vae, matrix, monkeypatch):
    whole = anomaly_scores(vae, matrix)
    monkeypatch.setattr(blocks, "CELLS", 7 * matrix.shape[1])
    pd.testing.assert_frame_equal(anomaly_scores(vae, matrix), whole, rtol=1e-4)


def test_empty_histories_are_neither_odd_nor_not(vae, matrix):
    table = anomaly_scores(vae, sp.csr_matrix((2, matrix.shape[1])))
    assert table[["score", "surprisal", "kl"]].isna().all(axis=None)
    assert len(anomaly_scores(vae, matrix[:0])) == 0


@pytest.mark.parametrize("name", ["elsa", "ease"])
def test_scores_that_are_no_log_probabilities(name, models, matrix):
    with pytest.raises(OptionError, match="no log-probabilities"):
        anomaly_scores(models[name], matrix)


@pytest.mark.parametrize("attack", ATTACKS)
def test_false_users_come_after_the_real_ones(attack, ratings):
    data = inject(ratings, attack, rate=0.055)
    assert data.shape == (211, 31)
    assert (data.matrix[:200] != ratings.matrix).nnz == 0
    assert data.users["shilling"].tolist() == [False] * 200 + [True] * 11
    assert data.user_ids.tolist() == list(range(211))
    profiles = false_users(data)
    assert (profiles[:, 7].toarray() == ratings.matrix.data.max()).all()
    assert set(np.diff(profiles.indptr)) <= set(np.diff(ratings.matrix.indptr))


def test_false_users_have_as_many_items_as_real_ones_who_have_any():
    histories = sp.csr_matrix(np.tile(np.tri(5, 4, -1), (1600, 1)))
    lengths = false_users(inject_shilling(histories, "random", 0, rate=1.0)).getnnz(axis=1)
    np.testing.assert_allclose(np.bincount(lengths) / 8000, [0, 0.25, 0.25, 0.25, 0.25], atol=0.03)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_gets_what_no_real_user_has_but_the_target(attack, ratings):
    assert false_users(inject(ratings, attack, rate=1.0))[:, 30].nnz == 0
    pushed = inject_shilling(ratings, "random", 30, rate=1.0)
    assert false_users(pushed)[:, 30].nnz == 200


def fillers(ratings, attack, also=()):
    """Columns and weights of what the false users have beside the chosen items."""
    profiles = false_users(inject(ratings, attack, rate=1.0))
    filler = ~np.isin(profiles.indices, [7, *also])
    return profiles.indices[filler], profiles.data[filler]


def test_random_fillers_are_of_all_items_and_rated_like_all(ratings):
    columns, weights = fillers(ratings, "random")
    counts = np.bincount(columns, minlength=31)
    others = np.delete(counts, [7, 30])
    assert others.min() > 0.6 * others.mean()
    expected = [(ratings.matrix.data == stars).mean() for stars in (1, 2, 4, 5)]
    found = [(weights[columns % 2 == 0] == stars).mean() for stars in (1, 2, 4, 5)]
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_average_fillers_are_rated_like_the_same_item(ratings):
    columns, weights = fillers(ratings, "average")
    assert set(weights[columns % 2 == 0]) == {4, 5}
    assert set(weights[columns % 2 == 1]) == {1, 2}


def test_bandwagons_have_the_most_popular_items(ratings):
    profiles = false_users(inject(ratings, "bandwagon"))
    popular = np.argsort(-np.bincount(ratings.matrix.indices, minlength=31), kind="stable")[:10]
    assert (profiles[:, popular].toarray() == 5).all()


def test_segments_are_loved_and_all_else_is_not(ratings):
    profiles = false_users(inject(ratings, "segment"))
    assert (profiles[:, [3, 5]].toarray() == 5).all()
    assert set(fillers(ratings, "segment", also=(3, 5))[1]) == {1}


def test_the_seed_decides_and_raw_ids_stay_apart(ratings):
    texts = rv.Interactions(
        ratings.matrix, ratings.users.set_index(ratings.user_ids.astype(str)), ratings.items
    )
    one, same, other = (inject(texts, "random", seed=seed) for seed in (0, 0, 1))
    assert (one.matrix != same.matrix).nnz == 0
    assert (one.matrix != other.matrix).nnz > 0
    assert one.user_ids.is_unique
    assert one.user_ids[-1] == "shilling 205"
    assert one.filter(min_weight=4).users["shilling"].sum() == 6


def test_mistakes(ratings):
    with pytest.raises(OptionError, match="did you mean 'average'"):
        inject_shilling(ratings, "avarage", 3)
    with pytest.raises(OptionError, match="there is no 0: known: average, bandwagon"):
        inject_shilling(ratings, 0, "random")
    with pytest.raises(OptionError, match="holds <U6 values, expected whole numbers"):
        inject_shilling(ratings, "random", "random")
    for segment, attack in ((None, "segment"), ([1], "random")):
        with pytest.raises(OptionError, match="needs a segment"):
            inject_shilling(ratings, attack, 3, segment=segment)
    for options in ({"target": 31}, {"target": 3, "rate": 0.0}):
        with pytest.raises(OptionError, match="must be"):
            inject_shilling(ratings, "random", **options)
    with pytest.raises(DataError, match="no interaction"):
        inject_shilling(sp.csr_matrix((3, 4)), "random", 1)
