"""What a phantom volume costs, and that it has the same bytes when drawn again.

Usage: OMP_NUM_THREADS=1 python benchmarks/phantom_cost.py [--scans 10]

A row for each level at ADNI's grid: seconds of processor time of a whole scan
with its head, all frames of it, without writing the file. Building the
template head, which a process does once, has a line of its own.
"""

import argparse
import hashlib
import statistics
import time

import reporting

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID
from tfds_adni.phantom.levels import LEVELS
from tfds_adni.phantom.render import frames_of
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.tables.cells import STAGES


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=10)
    reporting.add_out(parser)
    options = parser.parse_args()
    before = time.process_time()
    anatomy = build_anatomy(ADNI_GRID.spacing)
    once = time.process_time() - before
    people = [
        make_subject(STAGES[n % len(STAGES)], n) for n in range(options.scans)
    ]
    rows = [row(level, people, anatomy) for level in LEVELS]
    reporting.print_table(rows)
    print(f"\nphantom scans; the template head: {once:.1f} s, once a process")
    result = {"machine": reporting.machine(), "template_s": once, "rows": rows}
    reporting.write(result, options.out)


def row(level, people, anatomy):
    """What the scans of a level take, and whether two drawings agree."""
    taken, agree = [], 0
    for person in people:
        before = time.process_time()
        first = drawn(person, anatomy, level)
        taken.append(time.process_time() - before)
        agree += first == drawn(person, anatomy, level)
    return {
        "level": level,
        "frames": LEVELS[level].frames,
        "median, s": round(statistics.median(taken), 2),
        "most, s": round(max(taken), 2),
        "same bytes again": f"{agree} of {len(people)}",
    }


def drawn(person, anatomy, level):
    """A digest of a scan's frames."""
    digest = hashlib.sha256()
    for frame in frames_of(person, anatomy, level=level):
        digest.update(frame.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
