"""What one process alone tells itself; tests/engine/test_processes.py has groups of several."""

import torch

from recvae.engine.groups import ALONE


def test_alone_everything_is_one_s_own():
    own = torch.arange(6.0).reshape(3, 2).requires_grad_()
    assert ALONE.part(3) == slice(0, 3)
    assert ALONE.max(2.5) == 2.5
    assert ALONE.sum(own) is own
    assert ALONE.join(own, 3) is own
    assert ALONE.total(own) is own
    assert torch.equal(ALONE.all_gather(own), own[None])
