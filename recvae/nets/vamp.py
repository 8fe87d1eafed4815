"""The net of VampVAE."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.objectives import log_normal, mixture_log_normal
from recvae.nets.base import Net
from recvae.nets.layers import Linear, SparseLinear, sample

LOGVAR_RANGE = (-12.0, 4.0)
PSEUDO_INPUT_MEAN, PSEUDO_INPUT_STD = 0.05, 0.01
"""Of the initial pseudo-inputs; these and the range of log-variances are the reference's."""


class LowerCode(nn.Module):
    """The lower level of a hierarchy: q(lower | row, upper) and p(lower | upper)."""

    def __init__(self, n_items: int, hidden: Sequence[int], latent: int, *, gated: bool) -> None:
        super().__init__()
        first, self.encoder = _layers(hidden, 2 * latent, gated=gated)
        self.input = SparseLinear(n_items, first)
        self.given = Linear(latent, first)
        first, others = _layers(hidden, 2 * latent, gated=gated)
        self.prior = nn.Sequential(Linear(latent, first), *others)

    def encode(self, batch: Batch, upper: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map rows and their upper codes to mean and log-variance, each [users, latent]."""
        return _gaussian(self.encoder(self.input(batch) + self.given(upper)))

    def sample(
        self, batch: Batch, upper: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw a code [users, latent]; give it and log posterior - log prior at it, [users]."""
        posterior, prior = self.encode(batch, upper), _gaussian(self.prior(upper))
        code = sample(batch, *posterior, generator)
        return code, (log_normal(code, *posterior) - log_normal(code, *prior)).sum(dim=1)


class VampNet(Net):
    """Items - hidden - latent - hidden - items, with a VampPrior on the code.

    The prior is an even mixture of the posteriors of pseudo-inputs, which are rows of items that
    are learnt (Tomczak & Welling, 2018, section 2.2). In a hierarchy it is the prior of the upper
    code, which conditions the lower one; the decoder sees both (Kim & Suh, 2019, section 3.2).

    Attributes:
        dropout: the rate at which training removes entries of the input.
        pseudo_inputs: [components, items], clamped to 0 ... 1 when they are read.
        lower: the lower level, if there is one.
    """

    def __init__(
        self,
        n_items: int,
        hidden: Sequence[int],
        latent: int,
        *,
        n_components: int,
        hierarchical: bool,
        gated: bool,
        dropout: float,
        temperature: float | None = None,
    ) -> None:
        super().__init__(temperature)
        self.dropout = dropout
        self.pseudo_inputs = nn.Parameter(torch.empty(n_components, n_items))
        first, self.encoder = _layers(hidden, 2 * latent, gated=gated)
        self.input = SparseLinear(n_items, first)
        self.lower = LowerCode(n_items, hidden, latent, gated=gated) if hierarchical else None
        first, others = _layers([*reversed(hidden)], n_items, gated=gated)
        self.decoder = nn.Sequential(Linear((1 + hierarchical) * latent, first), *others)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw He-normal weights, zero biases and pseudo-inputs with small entries."""
        nn.init.normal_(self.pseudo_inputs, PSEUDO_INPUT_MEAN, PSEUDO_INPUT_STD, generator)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | SparseLinear):
                nn.init.zeros_(layer.bias)
                nn.init.kaiming_normal_(
                    layer.weight,
                    mode="fan_in" if isinstance(layer, nn.Linear) else "fan_out",
                    generator=generator,
                )

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to mean and log-variance of the code, each [users, latent].

        In a hierarchy, each [users, 2 * latent]: the upper code, then the lower code given the
        mean of the upper one.
        """
        upper = self._encode(batch)
        if self.lower is None:
            return upper
        lower = self.lower.encode(batch, upper[0])
        mean, logvar = (torch.cat(parts, dim=1) for parts in zip(upper, lower, strict=True))
        return mean, logvar

    def hidden(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes, as `encode` gives them, to the last layer's input, [users, width]."""
        outputs: torch.Tensor = self.decoder[:-1](code)
        return outputs

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        last = cast(nn.Linear, self.decoder[-1])
        return last.weight, last.bias

    def forward(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Corrupt, encode and draw a code: the code, and the KL [users] estimated by that draw."""
        noisy = batch.normalized().dropout(self.dropout, generator)
        # KL by one draw: log q(code | row) - log p(code), and the same for the lower code.
        posterior = self._encode(noisy)
        code = sample(batch, *posterior, generator)
        kl = log_normal(code, *posterior).sum(dim=1) - self.log_prior(code)
        if self.lower is not None:
            lower, lower_kl = self.lower.sample(noisy, code, generator)
            code, kl = torch.cat([code, lower], dim=1), kl + lower_kl
        return code, kl

    def log_prior(self, code: torch.Tensor) -> torch.Tensor:
        """Log-density [users] of (upper) codes [users, latent] under the VampPrior."""
        rows = self.input.dense(self.pseudo_inputs.clamp(0, 1))
        return mixture_log_normal(code, *_gaussian(self.encoder(rows)))

    def _encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return _gaussian(self.encoder(self.input(batch)))


def _layers(hidden: Sequence[int], n_outputs: int, *, gated: bool) -> tuple[int, nn.Sequential]:
    """The width of the first linear layer, and the layers that come after it.

    Hidden layers end in tanh, or in gates (GLU). A gated layer is twice as wide: the sigmoid of one
    half scales the other half.
    """
    widths = [*(2 * width if gated else width for width in hidden), n_outputs]
    layers = nn.Sequential()
    for n_inputs, width in zip(hidden, widths[1:], strict=True):
        layers.extend([nn.GLU() if gated else nn.Tanh(), Linear(n_inputs, width)])
    return widths[0], layers


def _gaussian(outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, logvar = outputs.chunk(2, dim=1)
    return mean, logvar.clamp(*LOGVAR_RANGE)
