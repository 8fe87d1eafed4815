"""Mult-VAE as one would write it at once: dense batches, every logit at every step."""

from time import perf_counter

import scipy.sparse as sp
import torch
from torch import nn
from torch.nn.functional import dropout, normalize

BATCH = 500
"""Users."""


def train(matrix: sp.csr_matrix, *, autocast: bool) -> list[float]:
    """Train for an epoch; the seconds of each step."""
    n_items = matrix.shape[1]
    encoder = nn.Sequential(nn.Linear(n_items, 600), nn.Tanh(), nn.Linear(600, 400))
    decoder = nn.Sequential(nn.Linear(200, 600), nn.Tanh(), nn.Linear(600, n_items))
    parameters = [*encoder.parameters(), *decoder.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3, fused=autocast)
    seconds = []
    for start in range(0, matrix.shape[0], BATCH):
        began = perf_counter()
        rows = torch.from_numpy(matrix[start : start + BATCH].toarray())
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            mean, logvar = encoder(dropout(normalize(rows), 0.5)).float().chunk(2, dim=1)
            code = mean + torch.randn_like(mean) * (logvar / 2).exp()
            log_proportions = decoder(code).float().log_softmax(dim=1)
        kl = (mean.square() + logvar.exp() - logvar - 1).sum(dim=1) / 2
        loss = (0.2 * kl - (rows * log_proportions).sum(dim=1)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        seconds.append(perf_counter() - began)
    return seconds
