"""The base of Mult-VAE and Mult-DAE: the net and its likelihood."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from recvae.data.shards import CsrOrShards
from recvae.data.splits import Holdout
from recvae.engine import processes
from recvae.engine.batch import Batch
from recvae.engine.objectives import LOG_LIKELIHOODS, Likelihood
from recvae.engine.phases import LossTerms, Phase
from recvae.errors import OptionError
from recvae.models.contract import Ability, FitContext
from recvae.models.families.softmax import SoftmaxAutoencoder
from recvae.nets import Net
from recvae.nets.autoencoder import Autoencoder
from recvae.options.ranges import PositiveFloat, Widths

DISTRIBUTION = {Ability.LOG_PROBABILITIES, Ability.GENERATION}


@dataclass(kw_only=True, eq=False)
class MultAutoencoder(SoftmaxAutoencoder):
    """Items - hidden - latent - hidden - items, trained by a log-likelihood of the whole history.

    Attributes:
        hidden: widths of the layers between items and code; the decoder mirrors them.
        temperature: logits are cosines divided by it, which long tails need: an item is as likely
            as it is like the taste, and fame is left to the biases. None: inner products.
        likelihood: the distribution whose parameters the decoder gives: "multinomial" (one
            distribution over all items), "bernoulli" or "gaussian" (one for each item).
    """

    hidden: Widths = (600,)
    temperature: PositiveFloat | None = None
    likelihood: Likelihood = "multinomial"

    variational: ClassVar[bool]
    parallel_over = frozenset({"users", "items"})

    def learn(self, train: CsrOrShards, validation: Holdout | None, context: FitContext) -> None:
        if self.likelihood == "bernoulli" and self.input == "counts":
            raise OptionError("a bernoulli likelihood needs input='binary': counts are not 0 or 1.")
        if self.likelihood != "multinomial" and self.softmax == "sampled":
            raise OptionError(
                f"a {self.likelihood} likelihood has no softmax: choose softmax='all'."
            )
        if self.likelihood != "multinomial" and processes.current().items.size > 1:
            raise OptionError(
                f"a {self.likelihood} likelihood can't be tensor parallel over items: choose "
                "item_shards=1, which is data parallel."
            )
        super().learn(train, validation, context)

    def why_not(self, ability: Ability) -> str | None:
        """See `Recommender.why_not`; only the multinomial is a distribution over the items."""
        if ability in DISTRIBUTION and self.likelihood != "multinomial":
            return self.lack_of(ability)
        return super().why_not(ability)

    def new_net(self, n_items: int) -> Net:
        return Autoencoder(
            n_items,
            self.hidden,
            self.latent,
            dropout=self.dropout,
            variational=self.variational,
            temperature=self.temperature,
        )

    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        return [Phase(partial(self.loss_terms, net, n_batches, noise))]

    def beta_at(self, step: int, n_batches: int) -> float:
        """The weight of the KL term at a training step, of which an epoch has `n_batches`."""
        return 0.0

    def loss_terms(
        self, net: Net, n_batches: int, noise: torch.Generator, batch: Batch, step: int
    ) -> LossTerms:
        """The negative ELBO of a batch, averaged over its users."""
        code, kl = net(batch, noise)
        log_likelihood = self.log_likelihood(net, code, batch, noise).mean()
        kl, beta = kl.mean(), self.beta_at(step, n_batches)
        return LossTerms(beta * kl - log_likelihood, log_likelihood, kl, beta)

    def log_likelihood(
        self, net: Net, code: torch.Tensor, batch: Batch, noise: torch.Generator
    ) -> torch.Tensor:
        """Log-likelihood of the users' histories, given their codes: [users]."""
        if self.likelihood == "multinomial":
            return self.multinomial(net, code, batch, noise)
        return LOG_LIKELIHOODS[self.likelihood](net.decode(code), batch)
