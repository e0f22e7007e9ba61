"""How long `prepare` takes against its floor, and how much memory.

The floor is what no preparation can do without: nibabel loads each scan, the
slices that will be stored are encoded as PNG, a volume off the target grid is
resampled, all spread over two processes. It is measured in the same run, in
turns with `prepare`, and with each of two encoders: Pillow at its defaults,
and the one `prepare` itself uses.

The scans are some phantoms, written once and hard-linked under the names and
ids of many subjects. Memory is that of the whole process tree: the sum of PSS
(each page shared by n processes counts 1/n in each), read from /proc every
0.05 s.

Usage: python benchmarks/prepare.py [--scans 411] [--repeats 3] [--out FILE]
"""

import argparse
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from tfds_adni.brain import Brain
from tfds_adni.png import encode_png
from tfds_adni.slices import BANDS_MM, cut_slices, resample

PHANTOMS = {"NC": 4, "MCI": 4, "AD": 4}
CORES = 2
PREPARE = """
import sys, time, json
started = time.perf_counter()
from tfds_adni.prepare import prepare
import tensorflow
imported = time.perf_counter()
prepare(sys.argv[1], sys.argv[2], jobs=2)
print(json.dumps({
    "call_s": time.perf_counter() - imported,
    "imports_s": imported - started,
}))
"""


def main():
    options = parse()
    folder = Path(tempfile.mkdtemp(prefix="prepare-", dir=options.folder))
    try:
        scans = write_scans(folder / "phantom", folder / "all", options.scans)
        result = {
            "machine": machine(),
            "scans": len(scans),
            "shape": list(nib.load(scans[0]).shape),
            **times(scans, folder, options.repeats),
            "memory_mb": memory(folder, scans, options.memory_at),
        }
    finally:
        shutil.rmtree(folder)
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=411)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory-at", type=int, nargs=2, default=(100, 400))
    parser.add_argument("--folder", type=Path, help="where to work")
    parser.add_argument("--out", type=Path, help="write the JSON here as well")
    return parser.parse_args()


def machine():
    text = Path("/proc/cpuinfo").read_text()
    models = [r for r in text.splitlines() if r.startswith("model name")]
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": models[0].partition(": ")[2] if models else "",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages * size / 2**30, 1),
        "load_average_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def write_scans(phantom, out, count):
    """Links `count` subjects, in turns, to the phantoms' volumes."""
    from tfds_adni.phantom import write_cohort

    write_cohort(phantom, subjects=PHANTOMS, jobs=CORES)
    (table,) = phantom.glob("*.csv")
    header, *rows = table.read_text().splitlines()
    baseline = [row for row in rows if '"bl"' in row or ",bl," in row]
    lines = [header]
    for number in range(count):
        row = baseline[number % len(baseline)]
        fields = [field.strip('"') for field in row.split(",")]
        old_image, old_subject = fields[0].lstrip("I"), fields[1]
        image, subject = str(10_000_000 + number), f"999_S_{10_000 + number}"
        (source,) = phantom.rglob(f"*_I{old_image}.nii")
        name = str(source.relative_to(phantom))
        name = name.replace(f"I{old_image}", f"I{image}")
        target = out / name.replace(old_subject, subject)
        target.parent.mkdir(parents=True)
        os.link(source, target)
        row = row.replace(f"I{old_image}", f"I{image}")
        lines.append(row.replace(old_subject, subject))
    (out / table.name).write_text("\n".join(lines) + "\n")
    return sorted(out.rglob("*.nii"))


def times(scans, folder, repeats):
    """Floor and prepare in turns; medians, and ratios within each turn."""
    root = next(p for p in scans[0].parents if p.name == "all")
    turns = []
    for number in range(repeats):
        turn = {
            "floor_pillow": floor(scans, with_pillow),
            "prepare": run(root, folder / f"data{number}"),
            "floor_own_png": floor(scans, encode_png),
        }
        shutil.rmtree(folder / f"data{number}")
        turns.append(turn)
        print(json.dumps(turn), file=sys.stderr)

    def median(values):
        return round(statistics.median(values), 3)

    wall = [t["prepare"]["call_s"] for t in turns]
    whole = [t["prepare"]["wall_s"] for t in turns]
    result = {
        "prepare_s": median(wall),
        "prepare_with_start_of_python_and_tensorflow_s": median(whole),
    }
    for name in ("floor_pillow", "floor_own_png"):
        floors = [t[name]["wall_s"] for t in turns]
        cpu = [t[name]["cpu_s"] for t in turns]
        pairs = list(zip(turns, floors, cpu, strict=True))
        result[name] = {
            "wall_s": median(floors),
            "ratio": median(t["prepare"]["call_s"] / f for t, f, _ in pairs),
            "ratio_with_start": median(
                t["prepare"]["wall_s"] / f for t, f, _ in pairs
            ),
            "ratio_of_cpu_time_with_start": median(
                t["prepare"]["cpu_s"] / c for t, _, c in pairs
            ),
        }
    return result | {"turns": turns}


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
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": cpu_of_children() - before,
    }


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
    return {"wall_s": wall, "cpu_s": cpu_of_children() - before, **parts}


def cpu_of_children():
    times = os.times()
    return times.children_user + times.children_system


def memory(folder, scans, counts):
    """Peak memory of the process tree for two sizes of cohort."""
    root = next(p for p in scans[0].parents if p.name == "all")
    (table,) = root.glob("*.csv")
    header, *rows = table.read_text().splitlines()
    peaks = {}
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
        peaks[str(count)] = peak(part, folder / f"data-part{count}")
    first, last = (peaks[str(count)] for count in counts)
    return peaks | {"growth": round(last - first, 1)}


def peak(root, data_dir):
    process = subprocess.Popen(
        [sys.executable, "-c", PREPARE, root, data_dir],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    highest = 0.0
    done = threading.Event()

    def watch():
        nonlocal highest
        while not done.wait(0.05):
            highest = max(highest, tree_pss_mb(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    shutil.rmtree(data_dir, ignore_errors=True)
    if code:
        raise SystemExit(f"prepare ended with {code}")
    return round(highest, 1)


def tree_pss_mb(pid):
    """Sums PSS over a process and all below it."""
    total, waiting = 0.0, [pid]
    while waiting:
        current = waiting.pop()
        try:
            for task in Path(f"/proc/{current}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
            rollup = Path(f"/proc/{current}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
    return total


if __name__ == "__main__":
    main()
