"""Testing: the contract suite, to run on a model of your own. It needs pytest."""

import pytest

pytest.register_assert_rewrite("recvae.testing.contract")

from recvae.testing.contract import RecommenderContract  # noqa: E402

__all__ = ["RecommenderContract"]
