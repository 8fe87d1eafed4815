"""The manners of scikit-learn; the contract's suite clones every model."""

import pytest
import scipy.sparse as sp
from sklearn.model_selection import GridSearchCV, ParameterGrid

import recvae as rv
from recvae.errors import OptionError


def test_options_are_set_as_they_are_made():
    model = rv.EASE().set_params(regularization=3.0)
    assert model.get_params() == rv.EASE(regularization=3.0).get_params()
    assert model.set_params() is model


@pytest.mark.parametrize("params", [{"regularisation": 1.0}, {"regularization": -1.0}])
def test_what_is_no_option_changes_nothing(params):
    model = rv.EASE(regularization=3.0)
    with pytest.raises(OptionError, match="EASE"):
        model.set_params(max_gigabytes=1.0, **params)
    assert model.get_params() == rv.EASE(regularization=3.0).get_params()


def test_a_grid_over_a_recommender():
    matrix = sp.random(40, 12, density=0.3, format="csr", random_state=0)
    tried = []

    def score(model, users, y=None):
        tried.append(model.regularization)
        return -model.regularization

    grid = {"regularization": [1.0, 2.0]}
    search = GridSearchCV(rv.EASE(), grid, scoring=score, cv=2).fit(matrix)
    assert search.best_params_ == ParameterGrid(grid)[0]
    assert sorted(tried) == [1.0, 1.0, 2.0, 2.0]
    assert search.best_estimator_.item_counts_.sum() == matrix.nnz


def test_a_notebook_shows_options_and_what_was_fitted():
    model = rv.EASE(regularization=3.0)
    assert "<p>EASE, not fitted</p>" in model._repr_html_()
    shown = model.fit(sp.eye(5, format="csr"))._repr_html_()
    assert "<p>EASE, fitted on 5 users and 5 items</p>" in shown
    assert "<th>regularization</th>" in shown
