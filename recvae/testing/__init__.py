"""Testing: the contract suite, to run on a model of your own. It needs pytest."""

import pytest

FILES = "case", "fitting", "recommending", "tools", "keeping", "contract"
pytest.register_assert_rewrite(*(f"{__name__}.{file}" for file in FILES))

from recvae.testing.contract import RecommenderContract  # noqa: E402

__all__ = ["RecommenderContract"]
