"""The contract suite: what every recommender promises, as tests."""

import pytest

from recvae.models.contract.recommender import Recommender
from recvae.testing.case import Case
from recvae.testing.fitting import FittingTests
from recvae.testing.keeping import KeepingTests
from recvae.testing.recommending import RecommendingTests
from recvae.testing.tools import ToolTests


@pytest.mark.filterwarnings("ignore::recvae.models.MissingWeightsWarning")
class RecommenderContract(FittingTests, RecommendingTests, ToolTests, KeepingTests):
    """The tests that a model must pass to be used everywhere that the models of this package are.

    Make a subclass whose name begins with `Test` and that defines `new`; pytest runs the suite on
    it. The model must be registered by its name. Its options must suit small data: it must learn 60
    users in seconds, and solve a checker board of 20 users and 20 items.

    Attributes:
        personal: whether lists depend on the history; False for models such as popularity.
    """

    personal: bool = True

    @classmethod
    def new(cls) -> Recommender:
        """Make a model that is not fitted, each time with the same options."""
        raise NotImplementedError("give the model that is to be tested")

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls) -> Case:
        """The model with its data, the same for all tests."""
        return Case(cls.new, cls.personal)
