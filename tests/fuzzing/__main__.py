"""The command line of the fuzz driver; see the package."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzzing import plan
from fuzzing.drive import drive
from fuzzing.watch import Limits, Worker


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzzing")
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--fuzz-seed", type=int, default=0)
    parser.add_argument("--only", help="one target")
    parser.add_argument("--number", type=int, help="one case of it")
    parser.add_argument("--out", type=Path, help="folder for all files")
    given = parser.parse_args()
    folder = given.out or Path(tempfile.mkdtemp(prefix="fuzzing-"))
    counts = plan.counts(given.mutations)
    if given.only:
        alone = given.number is not None
        counts = {given.only: 1 if alone else given.mutations}
    started = time.monotonic()
    with Worker(folder, Limits()) as worker:
        found = drive(
            worker, counts, seed=given.fuzz_seed, first=given.number or 0
        )
    print(*found.lines(), sep="\n")
    print(f"{time.monotonic() - started:.0f} s; files in {folder}")
    return bool(found.failures)


if __name__ == "__main__":
    sys.exit(main())
