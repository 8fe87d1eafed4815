import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch
from recvae.engine.batches import Batches, Resident
from recvae.nets import Net, SparseLinear, sample
from recvae.nets.autoencoder import Autoencoder

CPU = torch.device("cpu")
ROWS = sp.csr_matrix(np.array([[1, 0, 2], [0, 0, 0], [0, 3, 0]], dtype=np.float32))
MANY = Batch.of(sp.csr_matrix((200_000, 1)), CPU)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_net_without_its_methods_can_not_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Net()


def test_the_noise_has_unit_variance():
    mean, logvar = torch.full((200_000, 1), 3.0), torch.zeros(200_000, 1)
    drawn = sample(MANY, mean, logvar, generator())
    assert drawn.mean().item() == pytest.approx(3.0, abs=0.01)
    assert drawn.var().item() == pytest.approx(1.0, abs=0.01)


def test_the_noise_is_scaled_by_the_standard_deviation():
    mean, logvar = torch.zeros(200_000, 1), torch.full((200_000, 1), 4.0).log()
    drawn = sample(MANY, mean, logvar, generator())
    assert drawn.std().item() == pytest.approx(2.0, abs=0.02)


def test_sparse_linear_is_a_linear_layer():
    layer = SparseLinear(3, 5)
    torch.nn.init.normal_(layer.weight, generator=generator())
    torch.nn.init.normal_(layer.bias, generator=generator(1))
    dense = torch.tensor(ROWS.toarray())
    expected = dense @ layer.weight + layer.bias
    torch.testing.assert_close(layer(Batch.of(ROWS, CPU)), expected)
    layer(Batch.of(ROWS, CPU)).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, dense.T @ (2 * expected.detach()))


def test_rows_are_scaled_to_length_one_and_empty_rows_stay():
    batch = Batch.of(ROWS, CPU).normalized()
    assert batch.values.tolist() == pytest.approx([1 / 5**0.5, 2 / 5**0.5, 1.0])
    assert batch.sum(batch.values.square()).tolist() == pytest.approx([1.0, 0.0, 1.0])


def test_dropout_keeps_the_expectation():
    batch = Batch.of(sp.csr_matrix(np.ones((100, 1000), dtype=np.float32)), CPU)
    values = batch.dropout(0.3, generator()).values
    assert (values == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert values.mean().item() == pytest.approx(1.0, abs=0.01)
    assert batch.dropout(0.0, generator()) is batch


def test_the_input_is_normalized_before_dropout():
    """What dropout leaves keeps its share of the whole history's length."""
    net = Autoencoder(50, (), 4, dropout=0.5, variational=True)
    net.initialize(generator())
    seen = []
    net.input.register_forward_pre_hook(lambda _, args: seen.append(args[0].values))
    net(Batch.of(sp.csr_matrix(np.ones((1, 50), dtype=np.float32)), CPU), generator())
    assert sorted(set(seen[0].tolist())) == pytest.approx([0.0, 2 / 50**0.5])


def test_layers_are_those_of_the_paper():
    vae = Autoencoder(1000, (600,), 200, dropout=0.5, variational=True)
    shapes = {name: tuple(p.shape) for name, p in vae.named_parameters() if "weight" in name}
    assert shapes == {
        "input.weight": (1000, 600),
        "encoder.0.weight": (400, 600),
        "decoder.0.weight": (600, 200),
        "decoder.1.weight": (1000, 600),
    }
    dae = Autoencoder(1000, (), 200, dropout=0.5, variational=False)
    shapes = {name: tuple(p.shape) for name, p in dae.named_parameters() if "weight" in name}
    assert shapes == {"input.weight": (1000, 200), "decoder.0.weight": (1000, 200)}


def test_initial_weights_are_xavier_and_biases_small():
    net = Autoencoder(400, (300,), 100, dropout=0.5, variational=True)
    net.initialize(generator())
    bound = (6 / 700) ** 0.5
    assert net.input.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert net.input.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert 0.0005 < net.input.bias.std().item() < 0.001
    assert net.input.bias.abs().max().item() <= 0.002


def test_mult_dae_is_the_papers_formula():
    net = Autoencoder(3, (), 2, dropout=0.0, variational=False)
    net.initialize(generator())
    x = torch.tensor(ROWS.toarray())
    x = x / x.norm(dim=1, keepdim=True).clamp(min=1e-12)
    code = (x @ net.input.weight + net.input.bias).tanh()
    expected = code @ net.decoder[0].weight.T + net.decoder[0].bias
    batch = Batch.of(ROWS, CPU)
    given, kl = net(batch, generator())
    mean, logvar = net.encode(batch.normalized())
    torch.testing.assert_close(net.decode(given), expected)
    torch.testing.assert_close(mean, code)
    assert (logvar == -torch.inf).all()
    assert (kl == 0).all()


def test_an_epoch_visits_every_user_once_in_a_new_order():
    matrix = sp.csr_matrix(np.diag(np.arange(1, 12, dtype=np.float32)))
    batches = Batches(Resident(matrix, CPU), 4, np.random.default_rng(0))
    first = torch.cat([batch.values for batch in batches])
    second = torch.cat([batch.values for batch in batches])
    assert len(batches) == 3
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(1, 12))
    assert first.tolist() != second.tolist()


def test_with_a_temperature_logits_are_cosines_and_short_vectors_have_small_gradients():
    net = Autoencoder(3, (), 2, dropout=0.0, variational=False, temperature=0.1)
    net.initialize(generator())
    code = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    weight, bias = net.last_layer()
    logits = net.decode(code)
    cosines = torch.nn.functional.cosine_similarity(code[0], weight, dim=1)
    torch.testing.assert_close(logits[0], 10 * cosines + bias)
    torch.testing.assert_close(logits[1], bias)
    logits.sum().backward()
    assert code.grad.abs().max() < 1e5
