"""What is VampVAE's own; the contract suite tests what it shares with all models."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

import recvae as rv
from recvae.engine.batch import Batch
from recvae.engine.objectives import log_normal, mixture_log_normal
from recvae.nets.vamp import VampNet

CPU = torch.device("cpu")
ROWS = sp.csr_matrix(np.array([[1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
SMALL = {"hidden": (6,), "latent": 3, "n_components": 5, "epochs": 3, "device": "cpu"}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def new_net(hidden=(6,), *, hierarchical=True, gated=True, dropout=0.0, n_components=5):
    net = VampNet(
        4,
        hidden,
        3,
        n_components=n_components,
        hierarchical=hierarchical,
        gated=gated,
        dropout=dropout,
    )
    net.initialize(generator())
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, generator=generator(1))
    return net


def batch():
    return Batch.of(ROWS, CPU)


def normalized():
    return np.array([[1, 0, 1, 1], [0, 3**0.5, 0, 0], [0, 0, 0, 0]]) / 3**0.5


def numpy(tensor):
    return tensor.detach().numpy()


def log_density(code, mean, logvar):
    """Of a Gaussian, summed over the last axis."""
    square = (code - mean) ** 2 / np.exp(logvar)
    return -0.5 * (np.log(2 * np.pi) + logvar + square).sum(axis=-1)


def apply(layer, x):
    return x @ numpy(layer.weight).T + numpy(layer.bias)


def read(layer, x):
    return x @ numpy(layer.weight) + numpy(layer.bias)


def gate(x):
    """Kim & Suh (2019), eq. 9: (Wx + b) * sigmoid(Vx + c)."""
    half = x.shape[1] // 2
    return x[:, :half] * expit(x[:, half:])


def halves(outputs):
    return np.split(outputs, 2, axis=1)


@pytest.mark.parametrize(("n_users", "n_components", "latent"), [(1, 1, 1), (4, 3, 2), (7, 9, 50)])
def test_the_mixture_against_numpy(n_users, n_components, latent):
    code = torch.randn(n_users, latent, generator=generator())
    means, logvars = torch.randn(2, n_components, latent, generator=generator(1))
    parts = log_density(*(numpy(t).astype(float) for t in (code[:, None], means, logvars)))
    expected = logsumexp(parts, axis=1) - math.log(n_components)
    np.testing.assert_allclose(mixture_log_normal(code, means, logvars), expected, rtol=1e-5)


@given(distance=st.floats(10, 100), n_components=st.integers(1, 4))
def test_the_mixture_is_finite_far_from_all_components(distance, n_components):
    """Every component's density is 0 in float32; its logarithm is not -inf."""
    means = torch.zeros(n_components, 2, requires_grad=True)
    value = mixture_log_normal(torch.full((1, 2), distance), means, torch.zeros(n_components, 2))
    expected = -math.log(2 * math.pi) - distance**2
    assert value.item() == pytest.approx(expected, rel=1e-5)
    value.backward()
    assert means.grad.sum().item() == pytest.approx(2 * distance, rel=1e-3)


def test_the_mixture_is_exact_where_posteriors_are_narrow():
    """Standard deviations of 0.05 about means of size 1 in 200 dimensions."""
    means = torch.randn(100, 200, generator=generator())
    logvars = torch.full((100, 200), 2 * math.log(0.05))
    code = means[:20] + 0.05 * torch.randn(20, 200, generator=generator(1))
    expected = log_density(*(numpy(t).astype(float) for t in (code, means[:20], logvars[:20])))
    # The squares add up to 200 / 0.05^2; float32 rounds such a sum to its spacing, several times.
    rounding = 4 * np.spacing(np.float32(200 / 0.05**2))
    np.testing.assert_allclose(
        mixture_log_normal(code, means, logvars), expected - math.log(100), rtol=0, atol=rounding
    )
    exact = mixture_log_normal(code.double(), means.double(), logvars.double())
    np.testing.assert_allclose(exact, expected - math.log(100), rtol=1e-9)


def test_a_component_at_the_own_posterior_gives_no_kl():
    """One user, whose normalized row is the only pseudo-input."""
    net = new_net(hierarchical=False, n_components=1)
    with torch.no_grad():
        net.pseudo_inputs.copy_(torch.tensor(normalized()[:1]))
    _, kl = net(Batch.of(ROWS[:1], CPU), generator())
    assert kl.item() == pytest.approx(0.0, abs=1e-5)


def test_equal_components_are_one_component():
    one, many = new_net(n_components=1), new_net(n_components=7)
    many.load_state_dict(
        one.state_dict() | {"pseudo_inputs": one.pseudo_inputs.detach().expand(7, -1)}
    )
    code = torch.randn(5, 3, generator=generator())
    torch.testing.assert_close(many.log_prior(code), one.log_prior(code))


def test_gates_are_those_of_the_paper():
    net = new_net(hidden=(6, 5), hierarchical=False)
    hidden = gate(read(net.input, normalized()))
    mean, logvar = halves(apply(net.encoder[3], gate(apply(net.encoder[1], hidden))))
    given_mean, given_logvar = net.encode(batch().normalized())
    np.testing.assert_allclose(numpy(given_mean), mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(given_logvar), logvar, rtol=1e-4, atol=1e-6)
    first, _, second, _, third = net.decoder
    expected = apply(third, gate(apply(second, gate(apply(first, mean)))))
    np.testing.assert_allclose(numpy(net.decode(given_mean)), expected, rtol=1e-4, atol=1e-6)


def test_without_gates_there_is_tanh():
    net = new_net(hierarchical=False, gated=False)
    mean, logvar = halves(apply(net.encoder[1], np.tanh(read(net.input, normalized()))))
    given_mean, given_logvar = net.encode(batch().normalized())
    np.testing.assert_allclose(numpy(given_mean), mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(given_logvar), logvar, rtol=1e-4, atol=1e-6)


def test_a_hierarchy_is_the_papers_elbo():
    """All of section 3.2 in numpy, with the same noise."""
    net, x, noise = new_net(), normalized(), generator(3)
    pseudo = np.clip(numpy(net.pseudo_inputs), 0, 1)

    def upper(rows):
        return halves(apply(net.encoder[1], gate(read(net.input, rows))))

    def draw(mean, logvar):
        return mean + np.exp(logvar / 2) * numpy(torch.randn(mean.shape, generator=noise))

    q2 = upper(x)
    z2 = draw(*q2)
    joint = read(net.lower.input, x) + apply(net.lower.given, z2)
    q1 = halves(apply(net.lower.encoder[1], gate(joint)))
    z1 = draw(*q1)
    p1 = halves(apply(net.lower.prior[2], gate(apply(net.lower.prior[0], z2))))
    components = log_density(z2[:, None], *upper(pseudo))
    log_prior = logsumexp(components, axis=1) - math.log(5) + log_density(z1, *p1)
    expected = log_density(z2, *q2) + log_density(z1, *q1) - log_prior
    first, _, last = net.decoder
    code, kl = net(batch(), generator(3))
    np.testing.assert_allclose(numpy(kl), expected, rtol=1e-4, atol=1e-4)
    logits = apply(last, gate(apply(first, np.hstack([z2, z1]))))
    np.testing.assert_allclose(numpy(net.decode(code)), logits, rtol=1e-4, atol=1e-5)


def test_log_variances_are_bounded():
    net = new_net()
    with torch.no_grad():
        net.encoder[1].bias.copy_(torch.tensor([0.0] * 3 + [-100.0, 0.0, 100.0]))
    _, logvar = net.encode(batch().normalized())
    assert (logvar[:, 0] == -12).all()
    assert (logvar[:, 2] == 4).all()


@pytest.mark.parametrize("hierarchical", [False, True])
def test_gradients_reach_every_parameter(hierarchical):
    net = new_net(hierarchical=hierarchical, dropout=0.5)
    code, kl = net(batch(), generator())
    (net.decode(code).logsumexp(dim=1) + kl).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_training_moves_the_pseudo_inputs():
    matrix = sp.random(30, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    one, three = (rv.VampVAE(**SMALL | {"epochs": n}).fit(matrix) for n in (1, 3))
    moved = (one.net_.pseudo_inputs - three.net_.pseudo_inputs).abs()
    assert (moved.max(dim=1).values > 1e-4).all()


def test_the_loss_is_the_negative_elbo_averaged_over_users():
    model, net = rv.VampVAE(**SMALL, precision="float32"), new_net(dropout=0.5)
    model.schedule, model.beta_ = "constant", 0.3
    code, kl = net(batch(), generator())
    logits = net.decode(code)
    log_likelihood = (torch.tensor(ROWS.toarray()) * logits.log_softmax(dim=1)).sum(dim=1)
    terms = model.loss_terms(net, 1, generator(), batch(), 0)
    torch.testing.assert_close(terms.loss, (0.3 * kl - log_likelihood).mean())
    torch.testing.assert_close(terms.kl, kl.mean())


@pytest.mark.parametrize(("hierarchical", "width"), [(False, 3), (True, 6)])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
def test_any_shape(hidden, gated, hierarchical, width):
    options = SMALL | {"hidden": hidden, "gated": gated, "hierarchical": hierarchical}
    model = rv.VampVAE(**options).fit(sp.vstack([ROWS] * 10).tocsr())
    assert np.isfinite(model.history_["loss"]).all()
    for rows in (ROWS, ROWS[:0]):
        assert [part.shape for part in model.encode(rows)] == [(rows.shape[0], width)] * 2
    assert model.score(ROWS).isfinite().all()
    assert model.similar_items([0], 2)[0].shape == (1, 2)


def test_scores_are_decoded_from_the_means_without_dropout():
    model = rv.VampVAE(**SMALL, dropout=0.9).fit(sp.vstack([ROWS] * 10).tocsr())
    mean, _ = model.encode(ROWS)
    with torch.no_grad():
        upper = torch.from_numpy(mean[:, :3])
        lower, _ = model.net_.lower.encode(batch().normalized(), upper)
        expected = model.net_.decode(torch.cat([upper, lower], dim=1))
    torch.testing.assert_close(model.score(ROWS), expected)


def test_log_normal_and_a_mixture_of_one_agree():
    code, mean, logvar = torch.randn(3, 1, 4, generator=generator())
    torch.testing.assert_close(
        mixture_log_normal(code, mean, logvar), log_normal(code, mean, logvar).sum(dim=1)
    )


def test_with_a_temperature_scores_are_cosines():
    model = rv.VampVAE(**SMALL, temperature=0.1).fit(ROWS)
    net, code = model.net_, torch.from_numpy(model.encode(ROWS)[0])
    weight, bias = net.last_layer()
    directions = (torch.nn.functional.normalize(part, dim=1) for part in (net.hidden(code), weight))
    hidden, weight = directions
    torch.testing.assert_close(model.score(ROWS), (10 * hidden @ weight.T + bias).detach())
