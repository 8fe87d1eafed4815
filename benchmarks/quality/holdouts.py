"""Models judged by training pairs that are held out, so that a split's test pairs choose nothing.

    python -m benchmarks.quality.holdouts FOLDER graph-ae "graph-ae rank=256 level=0.5"
    python -m benchmarks.quality.holdouts FOLDER --way taste ease "ease + mult-dae temperature=0.1"

FOLDER holds `train.txt` and `test.txt` as others published them. A model is a name and its options;
models with a + between them are pooled. Test pairs are often no random sample of a user's pairs.
So there are two ways to hold out, and a choice should lean on neither:

- `pair`: one random pair of each user, which leaves the others nearly as they are;
- `taste`: an item of the user and those of the user that are most like it, a fifth in all.

Differences to the first model are paired, with their standard errors over the users.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

import recvae as rv
from benchmarks.common import options
from recvae.data.matrices import rank_in_rows, rows_of
from recvae.data.splits.parts import hold_out
from recvae.models import Ensemble, Recommender
from recvae.models.edlae import EDLAE

METRICS = ("full-recall@20", "ndcg@20")
PART = 0.2
"""How much of a history is a taste."""
LEAST = 1e-6
"""What is less alike is not alike."""
ENTRIES = 2**15
"""How many entries are compared at once."""
SEED = 98765


def main() -> None:
    """Fit each model without what is held out, and judge it by that."""
    parser = options(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--way", choices=[*WAYS], default="pair")
    parser.add_argument("--items", type=int, help="only so many items, the most popular ones")
    args = parser.parse_args()
    data = rv.read_split(args.folder).final
    assert data is not None, "train.txt has no pairs for validation beside it"
    if args.items is not None:
        data = data.select_items(np.argsort(-data.item_counts, kind="stable")[: args.items])
    hidden = WAYS[args.way](data.matrix, np.random.default_rng(SEED))
    train, holdout = data.keep(~hidden), hold_out(data, ~hidden, hidden, trained=True)
    print(f"{train}; {holdout.held_out.nnz:,} pairs held out", flush=True)
    first: pd.DataFrame | None = None
    for text in args.models:
        values = rv.evaluate(read_model(text).fit(train), holdout, METRICS).per_user[[*METRICS]]
        first = values if first is None else first
        print(text, *(line(values[name], first[name]) for name in METRICS), sep="\n", flush=True)


def read_model(text: str) -> Recommender:
    """A model as it is typed: see above."""
    members = []
    for one in text.split("+"):
        name, *settings = one.split()
        options_of = (setting.partition("=") for setting in settings)
        members.append(rv.build_model(name, {option: value for option, _, value in options_of}))
    return members[0] if len(members) == 1 else Ensemble(members=members)


def line(values: pd.Series, first: pd.Series) -> str:
    """A metric's mean, and its difference to that of the first model."""
    gains = (values - first).to_numpy()
    error = gains.std(ddof=1) / len(gains) ** 0.5
    return f"    {values.name} {values.mean():.4f} ({gains.mean():+.4f} ± {error:.4f})"


def of_pairs(histories: sp.csr_matrix, random: np.random.Generator) -> np.ndarray:
    """One random entry of each row: bool [nnz]."""
    return rank_in_rows(histories, random.random(histories.nnz)) == 0


def of_tastes(histories: sp.csr_matrix, random: np.random.Generator) -> np.ndarray:
    """An entry of each row, and those most like it by the cosine of SparseEDLAE: bool [nnz]."""
    weighed = EDLAE().weighed(histories)
    unit = weighed @ sp.diags(1 / np.sqrt(np.maximum(weighed.power(2).sum(axis=0).A1, 1e-9)))
    items, rows, taken = unit.T.tocsr(), rows_of(histories), of_pairs(histories, random)
    anchors = np.zeros(histories.shape[0], int)
    anchors[rows[taken]] = histories.indices[taken]
    likeness = random.random(histories.nnz) * LEAST  # of items that share no user with it, any
    for start in range(0, histories.nnz, ENTRIES):
        entries = slice(start, start + ENTRIES)
        pairs = items[anchors[rows[entries]]], items[histories.indices[entries]]
        likeness[entries] += pairs[0].multiply(pairs[1]).sum(axis=1).A1
    likeness[taken] = np.inf
    wanted = np.maximum(1, np.rint(PART * np.diff(histories.indptr)))
    return rank_in_rows(histories, -likeness) < wanted[rows]


WAYS: dict[str, Callable[[sp.csr_matrix, np.random.Generator], np.ndarray]] = {
    "pair": of_pairs,
    "taste": of_tastes,
}


if __name__ == "__main__":
    main()
