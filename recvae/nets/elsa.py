"""The net of ELSA."""

from dataclasses import replace

import torch
from torch import nn
from torch.nn.functional import normalize

from recvae.engine.batch import Batch
from recvae.engine.sparse import multiply
from recvae.nets.base import Net

EPSILON = 1e-12


class ELSANet(Net):
    """Items - latent - items: rows X to X(AA' - I), A holding vectors of length 1.

    Attributes:
        weight: [items, latent], the vectors before they are scaled to length 1.
        dropout: the rate at which training removes entries of the input.
    """

    def __init__(self, n_items: int, latent: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.weight = nn.Parameter(torch.empty(n_items, latent))

    @property
    def vectors(self) -> torch.Tensor:
        """A, [items, latent]."""
        return normalize(self.weight, dim=1)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw Xavier-uniform weights, as the reference does."""
        nn.init.xavier_uniform_(self.weight, generator=generator)

    @property
    def norms(self) -> torch.Tensor:
        """The lengths [items] of the vectors before they are scaled."""
        return self.weight.norm(dim=1).clamp(min=EPSILON)

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to XA."""
        scaled = replace(batch, values=batch.values / self.norms[batch.columns])
        code = multiply(scaled, self.weight)
        return code, torch.full_like(code, -torch.inf)

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes XA to XAA', [users, items], without making a scaled copy of the vectors.

        X is not subtracted yet.
        """
        return code @ self.weight.T / self.norms

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A [items, latent], and biases of 0."""
        return self.vectors, self.weight.new_zeros(len(self.weight))

    def forward(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
        """Cosine [users] between each row and the output for that row after dropout.

        With z = xA and y = zA' - x for a row x, y·x = |z|^2 - |x|^2 and
        |y|^2 = zA'Az' - 2 |z|^2 + |x|^2: so no users x items matrix is made.
        """
        rows, vectors = batch.normalized(), self.vectors
        noisy = rows.dropout(self.dropout, generator)
        code, target = multiply(noisy, vectors), multiply(rows, vectors)
        inner = (code * target).sum(dim=1) - rows.sum(noisy.values * rows.values)
        squares = code @ (vectors.T @ vectors) - 2 * code
        length = (squares * code).sum(dim=1) + rows.sum(noisy.values.square())
        return inner / length.clamp(min=EPSILON).sqrt()
