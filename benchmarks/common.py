"""What the commands share: their options, a machine in words, figures as JSON, pictures."""

import json
import platform
import warnings
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from matplotlib.figure import Figure

from recvae.display.themes import LIGHT
from recvae.errors import did_you_mean

FIGURES, IMAGES = Path("benchmarks/figures"), Path("docs/images")


@dataclass(frozen=True)
class Ranked:
    """What `evaluate` can judge: a function that makes lists.

    It is given the histories, the length of a list, and what is denied.
    """

    lists: Callable[[sp.csr_matrix, int, sp.csr_matrix | None], tuple[np.ndarray, np.ndarray]]

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        deny: sp.csr_matrix | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The function's lists."""
        return self.lists(histories, k, deny)


def options(text: str | None) -> ArgumentParser:
    """A parser whose help is a module's docstring, line by line."""
    return ArgumentParser(description=text, formatter_class=RawDescriptionHelpFormatter)


def run_parts(
    parser: ArgumentParser,
    package: str,
    parts: Sequence[str],
    measure: Callable[[ModuleType, Namespace], object],
    picture: str = "svg",
) -> None:
    """Measure the parts that are named, or all; write their figures, and draw those that can be.

    Args:
        parser: the command's own options.
        package: the parts are modules of it; a part that has `draw` has a picture.
        parts: all there are.
        measure: gives what JSON can say of a part.
        picture: format of the pictures.
    """
    topic = package.rpartition(".")[2]
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        type=one_of(parts),
        default=parts,
        help=", ".join(parts),
    )
    parser.add_argument(
        "--out", type=Path, help=f"folder to write to, else {FIGURES / topic} and {IMAGES}"
    )
    parser.add_argument("--draw", action="store_true", help="draw what was measured before")
    args = parser.parse_args()
    for name in args.parts:
        part = import_module(f"{package}.{name}")
        figures = (args.out or FIGURES / topic) / f"{name}.json"
        if not args.draw:
            write_json(figures, measure(part, args))
        if hasattr(part, "draw"):
            found = json.loads(figures.read_text(encoding="utf-8"))
            save_picture((args.out or IMAGES) / f"{topic}-{name}.{picture}", part.draw, found)


def measure_sets(
    parser: ArgumentParser,
    topic: str,
    sets: Sequence[str],
    measure: Callable[..., list[dict[str, Any]]],
) -> None:
    """Measure the sets that are named, or all; print a table of each, and write it as JSON."""
    parser.add_argument("sets", nargs="*", type=one_of(sets), default=list(sets))
    parser.add_argument("--test", action="store_true", help="judge by the test users, once")
    parser.add_argument("--out", type=Path, default=FIGURES / topic, metavar="FOLDER")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in args.sets:
        lines = measure(name, test=args.test)
        print(f"{name}\n{pd.DataFrame(lines).to_string(index=False)}", flush=True)
        part = "test" if args.test else "validation"
        write_json(args.out / f"{name}-{part}.json", {"machine": machine(), "models": lines})


def write_json(path: Path, content: object) -> None:
    """Write what was measured, in lines that a diff can show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def save_picture(path: Path, draw: Callable[[Any], Figure], found: object) -> None:
    """Draw figures in the style of the reports; a picture has no date in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(LIGHT | {"savefig.dpi": 110}):
        draw(found).savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})


def with_interval(differences: pd.Series) -> str:
    """The mean of differences, with its 95% interval."""
    found = differences.to_numpy(float)
    mean, half = found.mean(), 1.96 * found.std(ddof=1) / len(found) ** 0.5
    return f"{mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}]"


def machine() -> str:
    """Threads, processor, its instructions for matrices, and the version of torch."""
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    wanted = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16")
    instructions = " ".join(name for name in wanted if known.get(name))
    kind = known.get("cpu_name", platform.machine())
    return f"{torch.get_num_threads()} threads, {kind}, {instructions}, torch {torch.__version__}"


def one_of(parts: Sequence[str]) -> Callable[[str], str]:
    """A check of an argument."""

    def check(name: str) -> str:
        """The name, if it is one."""
        if name not in parts:
            raise ArgumentTypeError(f"no part {name!r}; {did_you_mean(name, parts)}")
        return name

    return check
