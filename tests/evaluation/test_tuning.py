"""Tuning: what is tried, what is judged, what is kept."""

import pytest
from stub_models import Noisy, WithoutGrid, small_split

from recvae.errors import OptionError
from recvae.evaluation import evaluate, tune


@pytest.fixture(scope="module")
def split():
    return small_split()


def test_own_options_first_then_each_of_the_grid_once(split):
    tuned = tune(Noisy(noise=3.0), split.train, split.validation, trials=10, metric="ndcg@20")
    assert tuned.trials["noise"].iloc[0] == 3.0
    assert sorted(tuned.trials["noise"].iloc[1:]) == [0.0, 0.5, 1.0, 2.0]


def test_own_options_are_not_drawn_again(split):
    tuned = tune(Noisy(noise=0.5), split.train, split.validation, trials=10)
    assert sorted(tuned.trials["noise"]) == [0.0, 0.5, 1.0, 2.0]


def test_the_best_by_validation_is_kept_fitted(split):
    model = Noisy(noise=2.0, seed=7)
    tuned = tune(model, split.train, split.validation, trials=10, metric="ndcg@20")
    assert tuned.chosen == {"noise": 0.0}
    assert tuned.model.seed == 7
    assert tuned.best == tuned.trials["ndcg@20"].idxmax()
    again = evaluate(tuned.model, split.validation, ["ndcg@20"]).mean["ndcg@20"]
    assert again == tuned.trials["ndcg@20"].max()
    assert not hasattr(model, "weights_")


def test_the_seed_decides_what_is_drawn(split):
    def drawn(seed: int) -> tuple[float, ...]:
        tuned = tune(Noisy(noise=3.0), split.train, split.validation, trials=3, seed=seed)
        return tuple(tuned.trials["noise"])

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(6)}) > 1


def test_without_a_grid_there_is_one_trial(split):
    tuned = tune(WithoutGrid(), split.train, split.validation, trials=5)
    assert len(tuned.trials) == 1
    assert tuned.chosen == {}
    assert (tuned.trials["seconds"] >= 0).all()


def test_no_trial_is_refused(split):
    with pytest.raises(OptionError, match="trials=0 must be at least 1"):
        tune(Noisy(), split.train, split.validation, trials=0)


def test_a_mistyped_metric_is_refused_before_fitting(split):
    model = Noisy()
    with pytest.raises(OptionError, match="did you mean 'ndcg'"):
        tune(model, split.train, split.validation, trials=1, metric="ncdg@10")


def test_ctrl_c_ends_tuning_though_the_model_ended_well(split):
    class Interrupted(Noisy):
        interrupted_ = True

    with pytest.raises(KeyboardInterrupt):
        tune(Interrupted(), split.train, split.validation, trials=2)
