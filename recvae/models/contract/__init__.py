"""Contract: the base class of every recommender, and what it needs to fit, list and save."""

from recvae.models.contract.abilities import Ability
from recvae.models.contract.changes import Change
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import Input, as_input
from recvae.models.contract.model import ParallelAxis
from recvae.models.contract.recommender import Recommender

__all__ = ["Ability", "Change", "FitContext", "Input", "ParallelAxis", "Recommender", "as_input"]
