import pytest
import torch

from recvae import devices


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
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert devices.products("auto", cpu) == expected
    devices._multiplies_bfloat16.cache_clear()


def test_matrices_are_multiplied_in_a_precision_for_a_while():
    before = torch.get_float32_matmul_precision()
    with devices.multiplying(torch.bfloat16):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [(["avx512_f"], "medium"), (["avx512_f", "amx_bf16"], "highest"), ([], "highest")],
)
def test_float32_goes_to_the_library_that_keeps_it(instructions, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(instructions, True))
    devices._keeps_float32.cache_clear()
    with devices.multiplying(torch.float32):
        assert torch.get_float32_matmul_precision() == expected
    devices._keeps_float32.cache_clear()


def test_float32_is_kept_here():
    one, other = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    with devices.multiplying(torch.float32):
        product = one.float() @ other.float()
    torch.testing.assert_close(product.double(), one @ other, rtol=1e-5, atol=1e-5)
