"""Measure all that a TOML file asks for, and write the page of results.

    python -m benchmarks.quality.results    # docs/results.md, benchmarks/figures/results.json
    python -m benchmarks.quality.results mine.toml
    python -m benchmarks.quality.results --sets ml-100k --models ease,als --out build/part

Each fit is kept under build/results/ as soon as it is done: a run that was stopped goes on where
it was, and one more model costs its own fits only. A model whose code has changed is measured
again once its files there are deleted. The reports of the comparisons are there too.
"""

import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import recvae as rv
from benchmarks.common import FIGURES, options
from benchmarks.quality.page import Page, Result
from benchmarks.quality.spec import RESULTS, Spec
from recvae.experiments.comparison import Comparison

PICTURE = "metric-by-training-time.svg"

logger = logging.getLogger("results")


def main() -> None:
    """Measure, and write the page anew after each comparison."""
    parser = options(__doc__)
    parser.add_argument("spec", nargs="?", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, help=f"folder to write to, else docs and {FIGURES}")
    parser.add_argument("--keep", type=Path, default=Path("build/results"), help="kept fits")
    parser.add_argument("--sets", help="only these, separated by commas")
    parser.add_argument("--models", help="only these, separated by commas")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    spec = Spec.read(args.spec).only(args.sets, args.models)
    name, docs = args.spec.stem, args.out or Path("docs")
    page = Page(spec, " ".join(["python -m benchmarks.quality.results", *sys.argv[1:]]))
    for data_set, protocol, comparison in comparisons(page, args.keep):
        picture = Path("images") / f"{name}-{data_set}-{protocol}.svg"
        report = rv.write_report(comparison, args.keep / "reports" / data_set / protocol)
        (docs / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(report.parent / "plots" / PICTURE, docs / picture)
        page.results.append(Result(data_set, protocol, comparison, picture.as_posix()))
        page.write(docs / f"{name}.md", (args.out or FIGURES) / f"{name}.json")
    if not page.results:
        sys.exit("no data set is here: put the files where the file says.")
    page.write(docs / f"{name}.md", (args.out or FIGURES) / f"{name}.json")


def comparisons(page: Page, keep: Path) -> Iterator[tuple[str, str, Comparison]]:
    """Compare on each data set by each protocol; the page is told which sets are missing."""
    for name, data_set in page.spec.sets.items():
        try:
            data = data_set.read()
        except rv.errors.RecvaeError as error:
            logger.warning("%s is left out: %s", name, error)
            page.missing[name] = str(error)
            continue
        for protocol in page.spec.protocols:
            logger.info("%s, %s: %s", name, protocol, data)
            comparison = compare(page.spec, name, protocol, data, keep)
            logger.info("%s", comparison)
            yield name, protocol, comparison


def compare(
    spec: Spec, name: str, protocol: str, data: rv.Interactions | rv.Split, keep: Path
) -> Comparison:
    """All models of a data set by a protocol."""
    chosen = spec.protocols[protocol]
    return rv.compare(
        {entry.model: entry.build(name) for entry in spec.models},
        chosen.splits(data),
        metrics=spec.metrics,
        seeds=spec.seeds,
        data=f"{spec.sets[name].title}; {chosen.title}",
        cache_dir=keep / "fits",
    )


if __name__ == "__main__":
    main()
