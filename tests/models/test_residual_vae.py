"""What is ResidualVAE's own; the contract suite tests what it shares with all models."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn.functional import log_softmax

import recvae as rv
from recvae.engine.batch import Batch
from recvae.engine.objectives import composite_log_prior, log_normal
from recvae.models.contract.inputs import as_input
from recvae.models.families.pooling import log_proportions
from recvae.nets import sample

CPU = torch.device("cpu")
TRAIN = as_input(sp.random(40, 15, density=0.3, format="csr", random_state=0, dtype=np.float32))
SMALL = {"width": 16, "latent": 4, "batch_size": 10, "epochs": 3, "device": "cpu"}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model():
    return rv.ResidualVAE(**SMALL, regularization=2.0, gamma=0.5).fit(TRAIN)


def test_the_objective_written_out(model):
    net, batch = model.net_, Batch.of(TRAIN[:10], CPU)
    with torch.no_grad():
        terms = model.loss_terms(net, net.encoder, generator(), batch, 0)

        noise = generator()
        kept, left = batch.split(model.dropout, noise)
        mean, logvar = net.encode(kept.normalized())
        code = sample(batch, mean, logvar, noise)
        logits = net.decode(code) + log_proportions(net.linear.leave_one_out(kept, left), kept)
        prior = composite_log_prior(code, *net.encoder(batch.normalized()))
        kl = (log_normal(code, mean, logvar) - prior).sum(dim=1)

    rows = torch.tensor(TRAIN[:10].toarray())
    expected = []
    for user, row in enumerate(rows):
        seen = kept.columns[kept.rows == user]
        hidden = left.columns[left.rows == user]
        unseen = np.setdiff1d(np.arange(15), seen)
        shares = dict(zip(unseen, log_softmax(logits[user, unseen], dim=0), strict=True))
        total = sum(shares[item] for item in hidden.tolist())
        expected.append(float(total * row.sum() / max(len(hidden), 1)))
    sizes = rows.sum(dim=1)
    assert terms.log_likelihood.item() == pytest.approx(np.mean(expected), rel=1e-4)
    assert terms.kl.item() == pytest.approx(kl.mean().item(), rel=1e-5)
    weighted = 0.5 * (sizes * kl).mean()
    assert terms.loss.item() == pytest.approx((weighted - terms.log_likelihood).item(), rel=1e-5)


def test_the_encoder_never_sees_what_is_to_be_predicted(model):
    net, batch, seen = model.net_, Batch.of(TRAIN[:10], CPU), []
    hook = net.encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.loss_terms(net, net.encoder, generator(), batch, 0)
    hook.remove()
    kept, _ = batch.split(model.dropout, generator())
    torch.testing.assert_close(seen[0].columns, kept.columns)
    norms = seen[0].sum(seen[0].values.square())
    assert norms[norms > 0].tolist() == pytest.approx([1.0] * int((norms > 0).sum()))


def test_new_users_are_scored_by_both_paths_with_nothing_hidden(model):
    batch = Batch.of(TRAIN, CPU)
    with torch.no_grad():
        mean, _ = model.net_.encode(batch.normalized())
        expected = model.net_.decode(mean) + log_proportions(model.net_.linear(batch), batch)
    torch.testing.assert_close(model.score(TRAIN), expected)


def test_the_linear_path_is_not_trained(model):
    assert {name for name, _ in model.net_.named_parameters() if "linear" in name} == set()
    again = rv.ResidualVAE(**SMALL | {"epochs": 1}, regularization=2.0).fit(TRAIN)
    torch.testing.assert_close(again.net_.linear.inverse, model.net_.linear.inverse)


def test_users_without_items_and_with_one_train_without_nan():
    rows = sp.vstack([TRAIN, sp.csr_matrix((5, 15)), sp.eye(15, format="csr")]).tocsr()
    fitted = rv.ResidualVAE(**SMALL).fit(rows.astype(np.float32))
    assert np.isfinite(fitted.history_["loss"]).all()
    assert fitted.score(rows).isfinite().all()


def test_too_many_items_for_the_memory():
    wide = sp.eye(5, 1_000_000, format="csr", dtype=np.float32)
    with pytest.raises(rv.errors.OptionError, match="use SparseEDLAE"):
        rv.ResidualVAE(**SMALL).fit(wide)


def test_something_must_be_hidden():
    with pytest.raises(rv.errors.OptionError, match="dropout=0"):
        rv.ResidualVAE(**SMALL, dropout=0.0).fit(TRAIN)


def test_weights_below_one_are_scaled_up_to_the_whole_row():
    """Not as if less than one of a user were hidden."""
    model = rv.ResidualVAE(**SMALL, input="counts", gamma=0.0).fit(TRAIN)
    batch = Batch.of(0.1 * TRAIN[:10], CPU)
    whole = Batch.of(TRAIN[:10], CPU)
    with torch.no_grad():
        model.net_.linear.leave_one_out = lambda kept, left: torch.ones(10, 15)
        tenth, one = (
            model.loss_terms(model.net_, model.net_.encoder, generator(), rows, 0)
            for rows in (batch, whole)
        )
    assert tenth.log_likelihood.item() == pytest.approx(0.1 * one.log_likelihood.item(), rel=1e-4)
