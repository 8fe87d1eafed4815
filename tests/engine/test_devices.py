import subprocess
import sys

import pytest
import torch

from recvae.engine import devices
from recvae.errors import OptionError

MANY_SHAPES = """
from resource import RUSAGE_SELF, getrusage
import torch
from recvae.engine.devices import multiplying

weights = torch.ones(32, 2000)
with multiplying(torch.float32):
    for users in range(100, 400):
        torch.ones(users, 32) @ weights
        if users in (200, 399):
            print(getrusage(RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(
    ("asked", "expected"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)]
)
def test_a_precision_that_was_asked_for_is_used(asked, expected):
    assert devices.products(asked, torch.device("cpu")) == expected


@pytest.mark.parametrize("instruction", ["avx512_bf16", "amx_bf16"])
def test_auto_looks_for_the_instructions(instruction, monkeypatch):
    cpu = torch.device("cpu")
    for there, expected in ((True, torch.bfloat16), (False, torch.float32)):
        devices._multiplies_bfloat16.cache_clear()
        known = {instruction: there}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known, raising=False)
        assert devices.products("auto", cpu) == expected
    devices._multiplies_bfloat16.cache_clear()


def test_matrices_are_multiplied_in_a_precision_for_a_while():
    before = torch.get_float32_matmul_precision()
    with devices.multiplying(torch.bfloat16):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


def test_threads_that_multiply_at_once_leave_it_as_it_was():
    before = torch.get_float32_matmul_precision()
    first, second = devices.multiplying(torch.bfloat16), devices.multiplying(torch.bfloat16)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert torch.get_float32_matmul_precision() == "medium"
    second.__exit__(None, None, None)
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [(["avx512_f"], "medium"), (["avx512_f", "amx_bf16"], "highest"), ([], "highest")],
)
def test_float32_goes_to_the_library_that_keeps_it(instructions, expected, monkeypatch):
    monkeypatch.setattr(
        torch.cpu,
        "get_capabilities",
        lambda: dict.fromkeys(instructions, True),
        raising=False,
    )
    devices._keeps_float32.cache_clear()
    with devices.multiplying(torch.float32):
        assert torch.get_float32_matmul_precision() == expected
    devices._keeps_float32.cache_clear()


def test_float32_is_kept_here():
    one, other = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    with devices.multiplying(torch.float32):
        product = one.float() @ other.float()
    torch.testing.assert_close(product.double(), one @ other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_products_of_many_shapes_take_little_memory():
    command = [sys.executable, "-c", MANY_SHAPES]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, after = map(int, said.split())
    assert after - before < 40_000  # KB; 100,000 if oneDNN keeps all


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_is_the_best_device_there_is(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.resolve("auto").type == expected


def test_a_device_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(OptionError, match="device='neural' can't be used here") as told:
        devices.resolve("neural")
    assert "\n" not in str(told.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="it can be used here")
def test_a_device_that_torch_knows_but_has_not_is_refused():
    with pytest.raises(OptionError, match="device='cuda:0' can't be used here"):
        devices.resolve("cuda:0")


def test_what_a_caller_has_set_is_set_aside_for_a_while():
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(), devices.usual():
            made = torch.ones(1, requires_grad=True)
            assert (made.dtype, (made + 1).requires_grad) == (torch.float32, True)
        with torch.no_grad(), devices.usual():
            assert torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_bfloat16_products_use_the_same_library_everywhere(monkeypatch):
    monkeypatch.setattr(devices, "_keeps_float32", lambda: False)
    with devices.multiplying(torch.bfloat16):
        assert torch.get_float32_matmul_precision() == "medium"
