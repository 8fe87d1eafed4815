"""Whether files that were damaged or forged can do harm.

    python -m benchmarks.abuse.fuzz                       # 100,000 mutations
    python -m benchmarks.abuse.fuzz --mutations 500
    python -m benchmarks.abuse.fuzz --first 31337 --mutations 1      # one of them again

Saved models of every kind, the cache of a data set, the checkpoints of a training, shards, cached
runs of a comparison, sparse codes, jobs and tuning studies are mutated and loaded, each time in a
process that is watched. There must come one clear error, or what was saved; something else only
where the checksums were made to fit. Never another exception, a crash, a hang, or more memory than
such small files can need. Half of the mutations sweep over all regions of 16 bytes of all files;
the others forge headers, tensors, tables, JSON, links and names.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tqdm import tqdm

from benchmarks.abuse.fuzz.targets import TARGETS, prepare
from benchmarks.abuse.fuzz.watched import Finding, outcomes
from benchmarks.common import options


def main() -> None:
    """Mutate, and print the count."""
    parser = options(__doc__)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("--targets", default=",".join(TARGETS), help="what is mutated")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    numbers = range(args.first, args.first + args.mutations)
    count: Counter[str] = Counter()
    started = perf_counter()
    with TemporaryDirectory(prefix="fuzz-") as folder:
        prepare(args.targets.split(","), Path(folder))
        loaded = outcomes(numbers, Path(folder), args.processes)
        for outcome in tqdm(loaded, "fuzzing", len(numbers), mininterval=10):
            count[outcome.what] += 1
            if isinstance(outcome, Finding):
                print(f"{outcome.number}: {outcome.what}: {outcome.text}", flush=True)
    seconds = perf_counter() - started
    findings = sum(n for what, n in count.items() if what not in ("refused", "same", "other"))
    print(
        f"{count.total():,} mutations in {seconds:,.0f} s: {count['refused']:,} refused by one "
        f"clear error, {count['same']:,} loaded as what was saved, {count['other']:,} loaded as "
        f"something else that was sealed with checksums of its own; {findings:,} findings."
    )
    raise SystemExit(findings > 0)


if __name__ == "__main__":
    main()
