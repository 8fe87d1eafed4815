"""Measure all that a TOML file asks for, and write the page of results.

    python -m benchmarks.quality.results                    # docs/results.md
    python -m benchmarks.quality.results benchmarks/quality/recipes/ml-20m.toml
    python -m benchmarks.quality.results --sets ml-100k --models ease,als --out build/part

Each fit is kept under build/results/ as soon as it is done: a run that was stopped goes on where
it was, and one more model costs its own fits only. A model whose code has changed is measured
again once its files there are deleted. The reports of the comparisons are there too.
"""

import argparse
import json
import logging
import shutil
import sys
from pathlib import Path

import recvae as rv
from benchmarks.quality import page
from benchmarks.quality.spec import Spec
from recvae.experiments.comparison import Comparison

HERE = Path(__file__).parent
PICTURE = "metric-by-training-time"

logger = logging.getLogger("results")


def main() -> None:
    """Measure, and write the page anew after each comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spec", nargs="?", type=Path, default=HERE / "results.toml")
    parser.add_argument("--out", type=Path, help="page without its ending, else docs/NAME")
    parser.add_argument("--keep", type=Path, default=Path("build/results"), help="kept fits")
    parser.add_argument("--sets", help="only these, separated by commas")
    parser.add_argument("--models", help="only these, separated by commas")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    spec = Spec.read(args.spec).only(args.sets, args.models)
    out = args.out or Path("docs") / args.spec.stem
    figures = args.out or Path("benchmarks/figures") / args.spec.stem
    command = " ".join(["python -m benchmarks.quality.results", *sys.argv[1:]])
    results: list[page.Result] = []
    missing: dict[str, str] = {}
    for name, data_set in spec.sets.items():
        try:
            data = data_set.read()
        except rv.errors.RecvaeError as error:
            logger.warning("%s is left out: %s", name, error)
            missing[name] = str(error)
            continue
        for protocol in spec.protocols:
            logger.info("%s, %s: %s", name, protocol, data)
            comparison = compare(spec, name, protocol, data, args.keep)
            logger.info("%s", comparison)
            picture = out.parent / "images" / f"{out.name}-{name}-{protocol}.svg"
            report = rv.write_report(comparison, args.keep / "reports" / name / protocol)
            copy_picture(report, picture)
            results.append(page.Result(name, protocol, comparison, f"images/{picture.name}"))
            write(spec, (out, figures), command, results, missing)
    if not results:
        sys.exit("no data set is here: put the files where the file says.")
    write(spec, (out, figures), command, results, missing)


def compare(spec: Spec, name: str, protocol: str, data: rv.Interactions, keep: Path) -> Comparison:
    """All models of a data set by a protocol."""
    chosen = spec.protocols[protocol]
    return rv.compare(
        {entry.name: entry.build(name) for entry in spec.models_for(name)},
        chosen.splits(data),
        metrics=spec.metrics,
        seeds=spec.seeds,
        data=f"{spec.sets[name].title}; {chosen.title}",
        cache_dir=keep / "fits",
    )


def copy_picture(report: Path, target: Path) -> None:
    """Take a report's plot of quality by training time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(report.parent / "plots" / f"{PICTURE}.svg", target)


def write(
    spec: Spec,
    out: tuple[Path, Path],
    command: str,
    results: list[page.Result],
    missing: dict[str, str],
) -> None:
    """Write a page and its figures."""
    text = page.markdown(spec, command, results, missing)
    out[0].with_name(out[0].name + ".md").write_text(text, encoding="utf-8")
    numbers = json.dumps(page.facts(spec, results), indent=1, ensure_ascii=False)
    out[1].parent.mkdir(parents=True, exist_ok=True)
    out[1].with_name(out[1].name + ".json").write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
