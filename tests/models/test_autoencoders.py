"""What is the autoencoders' own; the contract suite tests what they share with all models."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine.batch import Batch
from recvae.errors import DataError, OptionError, TrainingError
from recvae.models.families import autoencoder

SMALL = {"hidden": (16,), "latent": 8, "batch_size": 20, "epochs": 6, "device": "cpu"}


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 150)
    chance = np.where(np.arange(30) % 3 == group[:, None], 0.6, 0.1)
    matrix = sp.csr_matrix((rng.random((150, 30)) < chance).astype(np.float32))
    return rv.split_users(rv.Interactions.from_matrix(matrix), 30, 30)


def fit(split, model=rv.MultVAE, **options):
    return model(**(SMALL | options)).fit(split.train, validation=split.validation)


def test_memory_that_runs_out_is_one_clear_error(split, monkeypatch):
    with pytest.raises(TrainingError, match=r"memory ran out .*: choose a smaller latent") as error:
        fit(split, hidden=(10**13,))
    assert "\n" not in str(error.value)

    raised = RuntimeError("something else")

    def fail(*_):
        raise raised

    monkeypatch.setattr(rv.MultVAE, "learn", fail)
    with pytest.raises(RuntimeError, match="something else") as other:
        fit(split)
    raised = torch.OutOfMemoryError("CUDA out of memory.")
    with pytest.raises(TrainingError, match="memory ran out"):
        fit(split)
    raised = MemoryError()  # NumPy's
    with pytest.raises(TrainingError, match="memory ran out"):
        fit(split)
    assert not isinstance(other.value, TrainingError)


@pytest.mark.parametrize("model", [rv.MultVAE, rv.MultDAE])
def test_the_history_tells_of_every_epoch(split, model):
    history = fit(split, model).history_
    assert list(history) == [
        "epoch", "loss", "log_likelihood", "kl", "beta", "seconds", "users_per_second", "ndcg@100",
    ]  # fmt: skip
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["log_likelihood"].iloc[-1] > history["log_likelihood"].iloc[0]


def test_the_loss_is_the_negative_elbo(split):
    history = fit(split, beta=0.5, schedule="constant").history_
    np.testing.assert_allclose(
        history["loss"], 0.5 * history["kl"] - history["log_likelihood"], rtol=1e-5
    )


def test_kl_is_summed_over_dimensions_and_averaged_over_users(split):
    model = rv.MultVAE(**SMALL).fit(split.train)
    batch = Batch.of(split.train.matrix, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    corrupted = batch.normalized().dropout(model.dropout, generator)
    mean, logvar = model.net_.encode(corrupted)
    posterior = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    prior = torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(posterior, prior).sum() / len(batch)
    terms = model.loss_terms(model.net_, 1, torch.Generator().manual_seed(0), batch, 0)
    torch.testing.assert_close(terms.kl, expected)


def test_beta_climbs_to_its_cap_over_the_warm_up(split):
    """The history shows beta at each epoch's last step: of 20 steps, 10 are for the warm-up."""
    history = fit(split, beta=0.3, warm_up=0.5, epochs=4, batch_size=18, patience=None).history_
    assert history["beta"].tolist() == pytest.approx([0.12, 0.27, 0.3, 0.3])


def test_small_sets_get_five_steps_an_epoch(split):
    few, many = fit(split, batch_size=500), fit(split, batch_size=18)
    pd.testing.assert_series_equal(few.history_["loss"], many.history_["loss"])


def test_best_beta_is_the_one_at_the_peak_and_is_climbed_to_at_the_same_slope(split):
    model = fit(split, beta="best", epochs=8, patience=None)
    search = model.beta_search_
    assert search["beta"].max() == pytest.approx(1.0, abs=0.05)
    assert model.beta_ == search["beta"].iloc[search["ndcg@100"].argmax()]
    np.testing.assert_allclose(model.history_["beta"], np.minimum(search["beta"], model.beta_))


def test_ctrl_c_while_beta_is_searched_keeps_the_best_of_the_search(split, monkeypatch):
    judged = []

    def judge(metric, model, validation):
        judged.append(1)
        if len(judged) == 3:
            raise KeyboardInterrupt
        return 1.0 / len(judged)

    monkeypatch.setattr(autoencoder, "mean_of", judge)
    model = fit(split, beta="best")
    assert model.interrupted_
    assert len(model.history_) == 2
    assert model.recommend(split.test.fold_in, k=3)[0].min() >= 0


def test_the_time_of_a_fit_holds_for_the_search_of_beta_too(split):
    model = rv.MultVAE(**SMALL, beta="best").fit(split.train, split.validation, minutes=1e-9)
    assert model.interrupted_
    assert len(model.beta_search_) == 1


@pytest.mark.parametrize(
    ("metric", "said"),
    [("ncdg@100", "did you mean 'ndcg'"), ("disliked@10", "better the lower it is")],
)
def test_no_metric_to_choose_by_is_refused_before_training(split, monkeypatch, metric, said):
    monkeypatch.setattr(rv.MultVAE, "new_net", None)
    with pytest.raises(OptionError, match=said):
        fit(split, metric=metric)


def test_a_refit_has_the_beta_that_was_found(split):
    model = fit(split, beta="best", epochs=8, patience=None)
    again = model.refit(split.train)
    assert (again.beta, again.warm_up) == (model.beta_, model.beta_)
    assert again.history_["beta"].iloc[-1] == model.beta_
    assert len(again.history_) == model.origin_.best.epoch


def test_best_beta_needs_validation(split):
    with pytest.raises(OptionError, match="validation"):
        rv.MultVAE(**SMALL, beta="best").fit(split.train)
    with pytest.raises(OptionError, match="schedule='linear'"):
        fit(split, beta="best", schedule="constant")


def test_a_sampled_softmax_needs_a_softmax(split):
    with pytest.raises(OptionError, match="choose softmax='all'"):
        fit(split, likelihood="gaussian", softmax="sampled")


@pytest.mark.parametrize(("given", "taken"), [("1", 1), ("1.0", 1.0), ("2 epochs", "2 epochs")])
def test_a_warm_up_as_text(given, taken):
    model = rv.build_model("mult-vae", {"warm_up": given})
    assert repr(model.warm_up) == repr(taken)


def test_a_mult_vae_encodes_tastes_as_gaussians(split):
    model = fit(split)
    mean, logvar = model.encode(split.test.fold_in)
    assert mean.shape == logvar.shape == (split.test.fold_in.shape[0], 8)
    assert mean.dtype == np.float32
    assert np.isfinite(logvar).all()


def test_a_mult_dae_encodes_tastes_as_points(split):
    mean, logvar = fit(split, rv.MultDAE).encode(split.test.fold_in)
    assert (np.abs(mean) <= 1).all()
    assert (logvar == -np.inf).all()


def test_scores_are_decoded_from_the_mean_without_dropout(split):
    model, histories = fit(split, dropout=0.9), split.test.fold_in
    mean, _ = model.encode(histories)
    with torch.inference_mode():
        expected = model.net_.decode(torch.from_numpy(mean))
    torch.testing.assert_close(model.score(histories), expected)
    torch.testing.assert_close(model.score(histories), expected, rtol=0, atol=0)


def test_binary_input_ignores_weights_and_counts_do_not(split):
    heavier = split.train.matrix.copy()
    heavier.data[::2] = 7
    light, heavy = rv.MultVAE(**SMALL).fit(split.train), rv.MultVAE(**SMALL).fit(heavier)
    pd.testing.assert_series_equal(light.history_["loss"], heavy.history_["loss"])
    counts = rv.MultVAE(**SMALL, input="counts").fit(heavier)
    assert counts.history_["loss"].iloc[0] > 1.5 * light.history_["loss"].iloc[0]


@pytest.mark.parametrize("likelihood", ["multinomial", "bernoulli", "gaussian"])
def test_every_likelihood_learns(split, likelihood):
    model = fit(split, likelihood=likelihood, epochs=8, learning_rate=0.03)
    popularity = rv.Popularity().fit(split.train)
    metric = ("ndcg@10",)
    ours, theirs = (rv.evaluate(m, split.test, metric).mean.iloc[0] for m in (model, popularity))
    assert ours > theirs


@pytest.mark.parametrize("weight", [1e-24, 1e20])
def test_counts_that_have_no_square(split, weight):
    model = rv.MultVAE(**SMALL, input="counts").fit(split.train)
    with pytest.raises(DataError, match="weights must be from 1e-15 to 1e"):
        model.recommend(split.test.fold_in.sign() * weight)


def test_a_temperature_is_learnt_with_from_a_sample_of_the_items_too(split):
    """All items are in so large a sample: then the likelihood is exact."""
    cosine = {"temperature": 0.2, "epochs": 3, "dropout": 0.0}
    exact, sampled = (fit(split, rv.MultDAE, softmax=kind, **cosine) for kind in ("all", "sampled"))
    pd.testing.assert_series_equal(exact.history_["loss"], sampled.history_["loss"], rtol=1e-4)
    products = fit(split, rv.MultDAE, softmax="all", epochs=3, dropout=0.0)
    assert not np.allclose(exact.history_["loss"], products.history_["loss"], rtol=1e-4)


def test_bernoulli_takes_no_counts(split):
    with pytest.raises(OptionError, match="binary"):
        fit(split, likelihood="bernoulli", input="counts")


@pytest.mark.parametrize("hidden", [(), (16,), (24, 12)])
@pytest.mark.parametrize("model", [rv.MultVAE, rv.MultDAE])
def test_any_depth(split, model, hidden):
    one = fit(split, model, hidden=hidden, epochs=1)
    assert one.score(split.test.fold_in).isfinite().all()
    assert one.net_.decode(torch.zeros(1, 8)).shape == (1, split.train.shape[1])


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(split):
    one, same, other = fit(split), fit(split), fit(split, seed=1)
    assert torch.equal(one.net_.input.weight, same.net_.input.weight)
    assert not torch.equal(one.net_.input.weight, other.net_.input.weight)


def test_the_global_random_state_is_neither_used_nor_changed(split):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    fit(split)
    assert torch.equal(torch.rand(3), expected)


def test_a_device_that_is_not_here(split):
    with pytest.raises(OptionError, match="cuda:99"):
        fit(split, device="cuda:99")
