"""Export of a model to an ONNX file, which appears whole or not at all."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import Any

import torch
from pydantic_core import to_json
from torch import nn

import recvae
from recvae.disk.atomic import draft_for_user, sync
from recvae.disk.paths import path_of
from recvae.errors import OptionError
from recvae.exporting.padded import Padded
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.packages import optional
from recvae.ranking.top_k import require_length

OPSET = 18
"""The version of ONNX's operators; onnxruntime has them since 1.14."""
LARGE = 2_000_000_000
"""From this many bytes on, weights get a file of their own: a graph can have 2 GiB at most."""


def export_onnx(model: Recommender, path: str | PathLike[str], k: int = 10) -> None:
    """Write a fitted model as an ONNX graph that masks seen items and ranks the others.

    Input: `items`, int64 [users, length], the columns of each history in any order; shorter
    histories are filled up with -1. Outputs, as from `Recommender.recommend`: `ids`, int64
    [users, k], and `scores`, float32 [users, k], best first; -1 and -inf where items run out; the
    most popular items for an empty history. The numbers of users and the length are free. Running
    the graph takes about users x length x width x 4 bytes, where width is that of the first layer,
    or the number of items for EASE, EDLAE and ResidualVAE.

    The file's metadata are `model`, `recvae` (the version), `fingerprint` (of the training data)
    and `items`, the raw ids in column order as JSON. Weights of more than 2 GB are in a second file
    beside it, which the graph refers to; the second file of an earlier export is removed.

    Args:
        model: one with `Ability.EXPORT` that reads neither weights nor the order: an autoencoder,
            linear ones too, GraphAE, ImplicitALS, ItemKNN, SparseEDLAE, or an ensemble of these.
        path: where to write it, .onnx; an old file is replaced when the new one is complete.
        k: length of the lists, from 1 to the number of items. A shorter list is the beginning of a
            longer one.

    Raises:
        NotFittedError: fit or load the model first.
        OptionError: the model is none of these, or not on the CPU, k is out of range, or the path
            does not end in .onnx.
        MissingPackageError: the extra recvae[onnx] is not installed.
        WriteError: the file can't be written.
    """
    model.require_fitted()
    model.require(Ability.EXPORT)
    require_length(k, len(model.items_))
    if (path := path_of(path)).suffix != ".onnx":
        raise OptionError(f"{path} must end in .onnx.")
    data = path.with_name(f"{path.stem}-{token_hex(6)}.data")
    try:
        with draft_for_user(path) as draft:
            _save(_graph_of(model, k), draft, data)
    except BaseException:
        data.unlink(missing_ok=True)
        raise
    for earlier in path.parent.glob(f"{escape(path.stem)}-{'[0-9a-f]' * 12}.data"):
        if earlier != data:
            earlier.unlink(missing_ok=True)


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


def _graph_of(model: Recommender, k: int) -> Any:
    optional("onnxscript", "'recvae[onnx]'")
    lists = RankingGraph(model, k).eval()
    if any(weight.device.type != "cpu" for weight in lists.parameters()):
        raise OptionError("the model is on another device: load_model(folder, device='cpu').")
    with _quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            lists,
            (torch.zeros(2, 3, dtype=torch.int64),),
            dynamo=True,
            input_names=["items"],
            output_names=["ids", "scores"],
            dynamic_shapes=({0: "users", 1: "length"},),
            opset_version=OPSET,
            verbose=False,
        )
    graph = program.model
    graph.metadata_props.update(
        recvae=recvae.__version__,
        model=model.name,
        fingerprint=model.fingerprint_,
        items=to_json(model.item_ids_.tolist()).decode(),
    )
    return graph


def _save(graph: Any, draft: Path, data: Path) -> None:
    import onnx_ir

    size = sum(weight.const_value.nbytes for weight in graph.graph.initializers.values())
    onnx_ir.save(graph, draft, external_data=data.name if size > LARGE else None)
    if data.exists():
        sync(data)


@contextmanager
def _quiet() -> Iterator[None]:
    """A context in which the exporter's own messages are not shown."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
