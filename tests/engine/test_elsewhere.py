"""A training step acted out on another device, by PyTorch's tensors that only have a shape.

Nothing is computed; what would mix devices, or wait for values of the device, is an error.
"""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

import recvae as rv
from recvae.engine.batch import Batch
from recvae.models import MODELS
from recvae.models.families.autoencoder import AutoencoderRecommender

ELSEWHERE = "meta"
N_ITEMS = 50
WAITS = "residual-vae"
"""It parts the entries at random, into as many as it happens to be."""
STEPS = [
    name
    for name, model in MODELS.items()
    if issubclass(model, AutoencoderRecommender) and name != WAITS
]


@pytest.fixture
def batch():
    rows = sp.random(20, N_ITEMS, density=0.2, format="csr", random_state=0, dtype=np.float32)
    return Batch.of(rows, torch.device("cpu"))


def moved(batch: Batch) -> Batch:
    parts = (batch.offsets, batch.columns, batch.values)
    return Batch(*(torch.empty_like(part, device=ELSEWHERE) for part in parts), batch.n_items)


def move(net: nn.Module) -> None:
    for module in net.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(torch.empty_like(parameter, device=ELSEWHERE)))


def act_out(name: str, batch: Batch) -> None:
    """The loss of each pass and its gradients."""
    model = rv.build_model(name, {"latent": 8})
    model.beta_ = 0.2
    net = model.new_net(N_ITEMS)
    with FakeTensorMode(allow_non_fake_inputs=True):
        move(net)
        there = moved(batch)
        for one in model.phases(net, 1, None):
            if one.before:
                one.before()
            loss = one.step(there, 0).loss
            chosen = [p for n, p in net.named_parameters() if n.startswith(one.part)]
            gradients = torch.autograd.grad(loss, chosen)
            assert {part.device.type for part in (loss, *gradients)} == {ELSEWHERE}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_stays_on_its_device_and_waits_for_nothing(name, batch):
    act_out(name, batch)


def test_devices_that_mix_are_seen(batch, monkeypatch):
    def mixed(self, values):
        return torch.zeros(len(self)).index_add(0, self.rows, values)

    monkeypatch.setattr(Batch, "sum", mixed)
    with pytest.raises(RuntimeError, match="same device"):
        act_out("mult-vae", batch)


def test_waiting_is_seen(batch, monkeypatch):
    monkeypatch.setattr(Batch, "sum", lambda self, values: values.new_zeros(int(self.rows.max())))
    with pytest.raises(DataDependentOutputException):
        act_out("mult-vae", batch)
