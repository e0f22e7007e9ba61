"""How long `prepare` takes against its floor, and how much memory.

The floor is what no preparation can do without: nibabel loads each scan, the
slices that will be stored are encoded as PNG, a volume off the target grid is
resampled, all spread over two processes. It is measured in the same run, in
turns with `prepare`, and with each of two encoders: Pillow at its defaults,
and the one `prepare` itself uses.

The scans are some phantoms, written once and hard-linked under the names and
ids of many subjects. Memory is that of the whole process tree: the sum of PSS
(each page shared by n processes counts 1/n in each), read from /proc.

    python benchmarks/prepare.py [--scans 411] [--repeats 3]
"""

import argparse
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nibabel as nib
import numpy as np
import reporting
import watched
from made import write_scans
from PIL import Image

from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.slices import (
    BANDS_MM,
    cut_slices,
    encode_png,
    resample,
)

CORES = 2
RATIOS = {
    "wall_s": "prepare over it",
    "whole_s": "with its start",
    "cpu_s": "processor time",
}
PREPARE = """
import sys, time, json
started = time.perf_counter()
from tfds_adni import prepare
import tensorflow
imported = time.perf_counter()
prepare(sys.argv[1], sys.argv[2], jobs=2)
print(json.dumps({
    "wall_s": time.perf_counter() - imported,
    "imports_s": imported - started,
}))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=411)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory-at", type=int, nargs=2, default=(100, 400))
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scans = write_scans(folder / "phantom", folder / "all", options.scans)
        turns = times(scans, folder, options.repeats)
        rows = list(summary(turns, len(scans)))
        reporting.print_table(rows)
        peaks = list(memory(folder, scans, options.memory_at))
    print()
    reporting.print_table(peaks)
    found = {"machine": machine, "rows": rows, "memory": peaks}
    reporting.write(found | {"turns": turns}, options.out)


def times(scans, folder, repeats):
    """Floors and prepare, in turns."""
    root = next(p for p in scans[0].parents if p.name == "all")
    turns = []
    for number in range(repeats):
        turn = {
            "floor, Pillow": floor(scans, with_pillow),
            "prepare": run(root, folder / f"data{number}"),
            "floor, own encoder": floor(scans, encode_png),
        }
        shutil.rmtree(folder / f"data{number}")
        turns.append(turn)
    return turns


def summary(turns, count):
    """A row for each way: medians, and ratios within one turn.

    `prepare` is the call alone; its processor time has the start of Python
    and TensorFlow in it.
    """
    for way in turns[0]:
        found = [turn[way] for turn in turns]
        seconds = statistics.median(part["wall_s"] for part in found)
        ours = [turn["prepare"] for turn in turns]
        pairs = list(zip(ours, found, strict=True))
        row = {"way": way, "s": seconds, "volumes/s": count / seconds}
        for name, title in RATIOS.items():
            row[title] = statistics.median(
                our[name] / part[name] for our, part in pairs
            )
        yield row


def with_pillow(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def floor(scans, encode):
    """Load and encode, in two processes that do nothing else."""
    before, started = cpu_of_children(), time.perf_counter()
    chunks = [scans[n::CORES] for n in range(CORES)]
    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        list(pool.map(load_and_encode, chunks, [encode] * CORES))
    wall = time.perf_counter() - started
    cpu = cpu_of_children() - before
    return {"wall_s": wall, "whole_s": wall, "cpu_s": cpu}


def load_and_encode(scans, encode):
    """The slices through the middle of the grid stand for those of the brain.

    They hold as much of it; finding the brain is not part of the floor.
    """
    for path in scans:
        image = nib.as_closest_canonical(nib.load(path))
        data = np.asarray(image.dataobj, dtype=np.float32)
        data = data.reshape(data.shape[:3])
        spacing = tuple(float(v) for v in image.header.get_zooms()[:3])
        centre = tuple(n / 2 for n in data.shape)
        brain = resample(Brain(data, spacing, centre), 1.5)
        scale = 65535 / brain.suvr.max()
        for piece in cut_slices(
            brain, "axial", size=128, band_mm=BANDS_MM["axial"]
        ):
            encode(np.rint(piece.image.clip(0) * scale).astype(np.uint16))


def run(root, data_dir):
    """One prepare in a process of its own, as a user's command has."""
    before, started = cpu_of_children(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, root, data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    wall = time.perf_counter() - started
    parts = json.loads(done.stdout.splitlines()[-1])
    return parts | {"whole_s": wall, "cpu_s": cpu_of_children() - before}


def cpu_of_children():
    times = os.times()
    return times.children_user + times.children_system


def memory(folder, scans, counts):
    """Peak memory of the process tree for two sizes of cohort."""
    root = next(p for p in scans[0].parents if p.name == "all")
    (table,) = root.glob("*.csv")
    header, *rows = table.read_text().splitlines()
    for count in counts:
        part = folder / f"part{count}"
        part.mkdir()
        chosen = {path.parent.name for path in scans[:count]}
        for path in scans[:count]:
            target = part / path.relative_to(root)
            target.parent.mkdir(parents=True)
            os.link(path, target)
        kept = [r for r in rows if r.split(",")[0].strip('"') in chosen]
        (part / table.name).write_text("\n".join([header, *kept]) + "\n")
        data_dir = folder / f"data-part{count}"
        _, peak = watched.run([sys.executable, "-c", PREPARE, part, data_dir])
        shutil.rmtree(data_dir)
        yield {"scans": count, "megabytes": peak}


if __name__ == "__main__":
    main()
