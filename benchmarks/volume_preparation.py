"""Time and memory of preparing volumes, beside slices and registered volumes.

    python benchmarks/volume_preparation.py SCANS
    python benchmarks/volume_preparation.py SCANS --only volume_64

Each configuration of the same scans is prepared once, in two processes and in
an empty folder. Processor time is that of the whole tree of processes, their
start included; memory the sum of its PSS. Wall times of a busy machine say
nothing, so none are given. Registration needs pet-dcgan[register].
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import reporting
import watched

FORMS = {
    "all_64": ["--config", "all_64"],
    "axial_128": ["--config", "axial_128"],
    "volume_64": ["--config", "volume_64"],
    "volume_64, registered": [
        *("--config", "volume_64", "--register", "affine"),
    ],
}


def prepared(scans, options):
    """A row of one configuration."""
    command = [sys.executable, "-m", "pet_dcgan", "prepare", str(scans)]
    before = _processor_seconds()
    with tempfile.TemporaryDirectory() as folder:
        words = [*command, "--data-dir", folder, "--jobs", "2", *options]
        _, highest = watched.run(words)
        found = list(Path(folder).rglob("*.tfrecord*"))
        megabytes = sum(path.stat().st_size for path in found) / 1e6
    return {
        "processor s": _processor_seconds() - before,
        "memory, MB": highest,
        "records, MB": megabytes,
    }


def _processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", type=Path)
    parser.add_argument("--only", nargs="+", choices=FORMS, default=list(FORMS))
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    count = len(list(options.scans.rglob("*.nii*")))
    rows = []
    for name in options.only:
        row = prepared(options.scans, FORMS[name])
        each = row["processor s"] / count
        rows.append(
            {"configuration": name, "scans": count} | row | {"s a scan": each}
        )
        print(name, file=sys.stderr)
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
