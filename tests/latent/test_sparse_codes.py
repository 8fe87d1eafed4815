import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from forged_stores import forge, reseal
from safetensors.torch import load_file, save
from scipy.stats import hypergeom

import recvae as rv
from recvae.disk.store import Store
from recvae.errors import (
    DataError,
    MissingFileError,
    ModelFileError,
    NotFittedError,
    OptionError,
    WriteError,
)
from recvae.latent import SparseCodes, name_features, sparse_files
from recvae.latent.sparse_training import Imitation
from recvae.models import EmptyHistoryWarning

OPTIONS = {"features": 12, "active": 3, "epochs": 30, "batch_size": 20, "learning_rate": 0.01}
NETS = ["mult-vae", "mult-dae", "rec-vae", "vamp-vae", "residual-vae"]


@pytest.fixture(scope="module")
def codes(models, matrix):
    return SparseCodes(**OPTIONS).fit(models["mult-vae"], matrix)


def tastes(matrix):
    return np.stack([matrix[:, start::3].sum(axis=1).A1 for start in range(3)]).argmax(axis=0)


def test_a_code_is_the_sum_of_the_directions_of_few_units(codes, vae, matrix):
    activations = codes.encode(matrix)
    assert activations.shape == (matrix.shape[0], 12)
    assert np.diff(activations.indptr).max() == 3
    assert (activations.data > 0).all()
    net = codes.net_
    sums = activations @ net.directions.detach().numpy() * net.scale.item()
    decoded = vae.decode(sums + net.center.detach().numpy())
    ids, scores = codes.recommend(matrix, 5)
    torch.testing.assert_close(
        torch.from_numpy(scores), decoded.gather(1, torch.from_numpy(ids)), rtol=1e-4, atol=1e-4
    )


def test_units_are_found_by_hand(codes, vae, matrix):
    """The k largest of relu(Wx + b), x being the code as the net scales it."""
    net = codes.net_
    code = (vae.encode(matrix[3])[0] - net.center.detach().numpy()) / net.scale.item()
    dense = code @ net.encoder.detach().numpy().T + net.bias.detach().numpy()
    best = np.argsort(-dense[0])[:3]
    expected = np.zeros(12)
    expected[best] = np.maximum(dense[0, best], 0)
    np.testing.assert_allclose(codes.encode(matrix[3]).toarray()[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "goal"),
    [*((name, "codes") for name in NETS), ("mult-vae", "scores"), ("residual-vae", "scores")],
)
def test_lists_are_nearly_those_of_the_model(name, goal, models, matrix):
    options = OPTIONS | {"active": 6, "epochs": 15}
    sparse = SparseCodes(goal=goal, **options).fit(models[name], matrix)
    assert sparse.history_["loss"].iloc[-1] < sparse.history_["loss"].iloc[0]
    lists = [ranker.recommend(matrix, 6)[0] for ranker in (models[name], sparse)]
    same = [len(set(one) & set(other)) / 6 for one, other in zip(*lists, strict=True)]
    assert np.mean(same) > 0.75


def test_cold_items_are_in_the_lists_as_in_the_models(cold):
    histories, model = cold
    sparse = SparseCodes(**OPTIONS | {"active": 6}).fit(model, histories)
    cold_ones = [
        (ranker.recommend(histories, 6)[0] >= histories.shape[1] - 3).mean()
        for ranker in (model, sparse)
    ]
    assert cold_ones[1] == pytest.approx(cold_ones[0], rel=0.25)


def test_all_units_lose_nothing_once_directions_span_the_space(models, matrix):
    options = OPTIONS | {"features": 24, "active": 24, "epochs": 150}
    sparse = SparseCodes(**options).fit(models["mult-vae"], matrix)
    assert sparse.history_["loss"].iloc[-1] < 0.01


def test_validation_chooses_the_best_epoch(models, matrix):
    split = rv.split_users(rv.Interactions.from_matrix(matrix), 20, 20)
    sparse = SparseCodes(**OPTIONS | {"patience": 3}).fit(
        models["mult-vae"], split.train.matrix, split.validation
    )
    best = sparse.history_["ndcg@100"].max()
    found = rv.evaluate(sparse, split.validation, "ndcg@100").mean["ndcg@100"]
    assert found == pytest.approx(best)


def test_dead_units_begin_again_where_codes_lack_most(models, matrix):
    model = models["mult-vae"]
    net = SparseCodes(**OPTIONS | {"epochs": 1}).fit(model, matrix).net_
    imitation = Imitation(model, net, "codes", torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.bias[:6] = -100
        before = net.directions.clone()
    imitation.begin()
    for _ in range(5):
        imitation.step(model.batch(matrix), 0)
    assert not imitation.alive[:6].any()
    lacking = torch.nn.functional.normalize(imitation.missed, dim=1)
    dead = ~imitation.alive
    imitation.begin()
    assert (net.bias[dead] == 0).all()
    assert torch.isclose(net.directions[dead] @ lacking.T, torch.ones(())).any(dim=1).all()
    assert torch.equal(net.directions[~dead], before[~dead])
    assert not imitation.alive.any()


def test_units_that_are_all_dead_begin_again_too(models, matrix):
    net = SparseCodes(**OPTIONS | {"epochs": 1}).fit(models["mult-vae"], matrix).net_
    size, missed = net.encoder.norm(dim=1).mean().item(), torch.ones_like(net.directions)
    net.revive(torch.ones_like(net.bias, dtype=torch.bool), missed)
    assert net.encoder.norm(dim=1).tolist() == pytest.approx([0.2 * size] * len(net.bias))
    assert (net.bias == 0).all()


def test_turning_a_unit_up_moves_the_list_as_its_effects_say(codes, matrix):
    feature = int(codes.net_.strengths.argmax())
    n_items = matrix.shape[1]
    up, down = np.argsort(-codes.effects()[feature])[[0, -1]]
    empty = sp.csr_matrix((1, n_items))
    places = []
    for level in (0.0, 1.0, 4.0):
        ids, _ = codes.recommend(empty, n_items, steer={feature: level})
        places.append((list(ids[0]).index(up), list(ids[0]).index(down)))
    assert places[0][0] >= places[1][0] >= places[2][0]
    assert places[2][0] < places[2][1]


def test_an_empty_history_gets_what_is_popular(codes, vae, matrix):
    histories = sp.vstack([matrix[0], 0 * matrix[1]], "csr")
    with pytest.warns(EmptyHistoryWarning):
        expected = vae.recommend(histories, 5)
    with pytest.warns(EmptyHistoryWarning):
        lists = codes.recommend(histories, 5)
    np.testing.assert_array_equal([part[1] for part in lists], [part[1] for part in expected])


def test_effects_by_hand(codes, vae):
    net = codes.net_
    center, feature = net.center.detach().numpy()[None], 5
    step = (net.strengths[feature] * net.directions[feature] * net.scale).detach().numpy()
    expected = vae.decode(center + step) - vae.decode(center)
    np.testing.assert_allclose(codes.effects()[feature], expected[0], atol=1e-5)


def test_strengths_are_means_of_those_who_have_a_unit(codes, matrix):
    dense = codes.encode(matrix).toarray()
    having = np.maximum((dense > 0).sum(axis=0), 1)
    np.testing.assert_allclose(codes.net_.strengths, dense.sum(axis=0) / having, rtol=1e-5)


def test_users_of_a_taste_share_a_unit(codes, matrix):
    """Features tell the tastes apart that the data were made of."""
    dense, kinds = codes.encode(matrix).toarray(), tastes(matrix)
    means = np.stack([dense[kinds == kind].mean(axis=0) for kind in range(3)])
    assert len(set(means.argmax(axis=1))) == 3


def test_names_are_those_of_the_tastes(codes, matrix):
    labels = pd.get_dummies(pd.Series(np.arange(matrix.shape[1]) % 3).map(list("abc").__getitem__))
    names = name_features(codes, labels, top=6)
    effects, features = codes.effects(), codes.net_.strengths.argsort(descending=True)[:3].tolist()
    for feature in features:
        best = np.argsort(-effects[feature], kind="stable")[:6]
        counts = np.bincount(best % 3, minlength=3)
        line = names.loc[feature]
        assert line["label"] == "abc"[counts.argmax()]
        assert line["count"] == counts.max()
        assert line["lift"] == pytest.approx(counts.max() / 6 * 3)
        chance = hypergeom(24, 8, 6).pmf(range(counts.max(), 7)).sum()
        assert line["p_value"] == pytest.approx(min(3 * chance, 1))


def test_the_saved_is_the_same(codes, vae, matrix, tmp_path):
    for _ in range(2):
        codes.save(tmp_path / "codes")
    loaded = SparseCodes.load(tmp_path / "codes", vae)
    assert loaded.active == 3
    np.testing.assert_array_equal(loaded.recommend(matrix, 5)[1], codes.recommend(matrix, 5)[1])
    assert (loaded.encode(matrix) != codes.encode(matrix)).nnz == 0
    names = sorted(path.name.split("-")[0] for path in (tmp_path / "codes").iterdir())
    assert names == [".lock", "codes", "sparse"]


def test_what_can_not_be_loaded(codes, models, vae, tmp_path):
    folder = tmp_path / "codes"
    with pytest.raises(MissingFileError, match="there are no sparse codes"):
        SparseCodes.load(folder, vae)
    codes.save(folder)
    with pytest.raises(ModelFileError, match="another model"):
        SparseCodes.load(folder, models["rec-vae"])
    (path,) = folder.glob("codes-*")
    whole = path.read_bytes()
    for content in (b"nothing of the kind", whole[:-1], whole[:-1] + b"!"):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match="does not have its checksum"):
            SparseCodes.load(folder, vae)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ModelFileError, match="no regular file"):
        SparseCodes.load(folder, vae)
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="can't be written"):
        codes.save(tmp_path / "file")


@pytest.mark.parametrize(
    "wrong",
    [{"features": 7}, {"feature": 7}, {"features": 12, "active": 13}, {"features": 10**12}],
)
def test_options_that_were_forged(codes, vae, tmp_path, wrong):
    codes.save(tmp_path)
    reseal(tmp_path / "sparse-codes.json", lambda said: said.update(facts=wrong))
    with pytest.raises(ModelFileError, match="damaged"):
        SparseCodes.load(tmp_path, vae)


def test_weights_that_were_forged(codes, vae, tmp_path):
    codes.save(tmp_path)
    (path,) = tmp_path.glob("codes-*")
    tensors = load_file(path)
    store = Store(tmp_path, sparse_files.KIND)
    forge(store, "codes", save(tensors | {"bias": tensors["bias"] * torch.nan}))
    with pytest.raises(ModelFileError, match="bias is not finite"):
        SparseCodes.load(tmp_path, vae)
    forge(store, "codes", b"nothing of the kind")
    with pytest.raises(ModelFileError, match="damaged"):
        SparseCodes.load(tmp_path, vae)


def test_mistakes(codes, models, vae, matrix):
    with pytest.raises(OptionError, match="12 at most"):
        SparseCodes(features=12, active=13).fit(vae, matrix)
    with pytest.raises(OptionError, match="goal"):
        SparseCodes(goal="lists").fit(vae, matrix)
    with pytest.raises(OptionError, match="no autoencoder"):
        SparseCodes().fit(models["ensemble"], matrix)
    with pytest.raises(OptionError, match="no log-probabilities"):
        SparseCodes().fit(models["elsa"], matrix)
    with pytest.raises(DataError, match="no interaction"):
        SparseCodes().fit(vae, matrix[:0])
    with pytest.raises(NotFittedError, match="not fitted"):
        SparseCodes().encode(matrix)
    with pytest.raises(OptionError, match="from 0 to 11"):
        codes.recommend(matrix, steer={12: 1.0})
    with pytest.raises(OptionError, match="not negative"):
        codes.recommend(matrix, steer={3: -1.0})
    with pytest.raises(DataError, match="give one for each"):
        name_features(codes, pd.DataFrame({"a": [True, False]}))
