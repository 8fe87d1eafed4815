import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import recvae as rv
from recvae.errors import MissingPackageError, OptionError
from recvae.latent import LatentFeatures, generate

SMALL = {"hidden": (), "epochs": 8, "batch_size": 20, "learning_rate": 0.02, "device": "cpu"}


@pytest.fixture(scope="module")
def tastes(matrix):
    """Which third of the items each user has most of: what the data were made of."""
    return np.stack([matrix[:, start::3].sum(axis=1).A1 for start in range(3)]).argmax(axis=0)


@pytest.fixture
def features():
    return LatentFeatures(rv.MultVAE(latent=3, **SMALL))


def test_features_are_the_means_of_the_codes(features, matrix):
    found = features.fit_transform(matrix)
    expected, _ = rv.MultVAE(latent=3, **SMALL).fit(matrix).encode(matrix)
    np.testing.assert_array_equal(found, expected)
    assert features.n_features_in_ == matrix.shape[1]
    assert features.get_feature_names_out().tolist() == [f"latentfeatures{n}" for n in range(3)]


def test_the_model_is_left_as_it_is(vae, matrix):
    codes = vae.encode(matrix)[0]
    LatentFeatures(vae).fit(matrix[:30])
    np.testing.assert_array_equal(vae.encode(matrix)[0], codes)


def test_a_clone_has_the_same_options_and_nothing_learnt(features, matrix):
    copy = clone(features.fit(matrix))
    assert not hasattr(copy, "model_")
    np.testing.assert_array_equal(copy.fit_transform(matrix), features.transform(matrix))


def test_a_pipeline_learns_tastes_of_users_it_has_not_seen(features, matrix, tastes):
    pipeline = make_pipeline(features, LogisticRegression())
    assert cross_val_score(pipeline, matrix, tastes, cv=2).mean() > 0.9


def test_a_search_chooses_between_models(matrix, tastes):
    models = [rv.MultVAE(latent=2, **SMALL), rv.MultDAE(latent=4, **SMALL)]
    pipeline = make_pipeline(LatentFeatures(), LogisticRegression())
    search = GridSearchCV(pipeline, {"latentfeatures__model": models}, cv=2)
    assert search.fit(matrix, tastes).best_score_ > 0.9


def test_a_search_chooses_options_of_the_model_by_their_path(matrix, tastes):
    pipeline = make_pipeline(LatentFeatures(rv.MultVAE(**SMALL)), LogisticRegression())
    search = GridSearchCV(pipeline, {"latentfeatures__model__latent": [1, 3]}, cv=2)
    assert search.fit(matrix, tastes).best_params_ == {"latentfeatures__model__latent": 3}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks():
    model = rv.MultVAE(latent=2, hidden=(), epochs=1, device="cpu")
    found = check_estimator(LatentFeatures(model), on_skip=None, on_fail="raise")
    assert {check["status"] for check in found} <= {"passed", "skipped"}


def test_what_is_not_fitted_says_so(features, matrix):
    with pytest.raises(NotFittedError, match="fit"):
        features.transform(matrix)


def test_other_items_are_refused(features, matrix):
    features.fit(matrix)
    with pytest.raises(ValueError, match="is expecting"):
        features.transform(matrix[:, 1:])


def test_a_model_without_codes(matrix):
    with pytest.raises(OptionError, match="EASE has no latent space"):
        LatentFeatures(rv.EASE()).fit(matrix)


def test_without_scikit_learn_the_error_says_what_to_install(vae, matrix, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'recvae\[latent\]'"):
        generate(vae, matrix, 3)
