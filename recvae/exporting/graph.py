"""The graph: histories -> scores -> seen items masked -> top-k."""

import torch
from torch import nn

from recvae.exporting.padded import Padded
from recvae.models.contract.recommender import Recommender


class RankingGraph(nn.Module):
    """Columns int64 [users, length] -> ids int64 and scores float32 [users, k].

    The lists are those of `Recommender.recommend`.
    """

    counts: torch.Tensor

    def __init__(self, model: Recommender, k: int) -> None:
        super().__init__()
        self.model, self.k = model, k
        self.nets = nn.ModuleList(model.nets_)
        self.register_buffer("counts", torch.from_numpy(model.item_counts_).float())

    def forward(self, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rank the items that are not in the history; by popularity if the history is empty."""
        batch = Padded.of_items(items, len(self.counts))
        unseen = self.model.forward(batch).scatter(1, batch.columns, -torch.inf)
        empty = batch.sum(batch.values)[:, None] == 0
        best, ids = torch.where(empty, self.counts, unseen).topk(self.k)
        return ids.masked_fill(best == -torch.inf, -1), best
