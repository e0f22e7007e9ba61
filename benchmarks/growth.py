"""How time and memory grow with the data, command by command.

`prepare`, `train`, `evaluate` and `generate` at 1, 2, 4 and 8 times the data,
each in a process of its own. Seconds are those of the call, after Python and
TensorFlow have started; memory is the highest sum of PSS of the process tree,
asked for 20 times a second meanwhile. What does not grow (tracing, loading) is
in both, so growth is what the last doubling added to each unit of data, over
what all of them did: 1 where cost grows as the data, 1.33 where it grows as
their square, below 1 where it grows more slowly.

    python benchmarks/growth.py [--scans 24] [--figure growth.png]

Needs pet-dcgan[demo]; about five minutes on two cores.
"""

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path

import reporting
import watched
from made import write_scans

TIMES = (1, 2, 4, 8)
COMMANDS = ("prepare", "train", "evaluate", "generate")
IMAGES = 128  # made at 1 times
CONSTANT = 0.1  # grows by less than this share
START = """
import json, sys, time
from pathlib import Path
from pet_dcgan.console import start_tensorflow
folder, number = Path(sys.argv[1]), int(sys.argv[2])
scans, data, run = folder / "scans", folder / "data", folder / "run"
"""
BODIES = {
    "prepare": """
from tfds_adni.prepare import prepare
call = lambda: prepare(scans, data)
""",
    "train": """
start_tensorflow()
from made import trained
call = lambda: trained(data, run)
""",
    "evaluate": """
start_tensorflow()
from pet_dcgan.evaluate import evaluate
from pet_dcgan.run import Run
call = lambda: evaluate(Run.open(run), count=number)
""",
    "generate": """
start_tensorflow()
from pet_dcgan.export import export_run
from pet_dcgan.generate import generate
from pet_dcgan.run import Run
version = export_run(Run.open(run), folder / "models")
call = lambda: generate(version, count=number, out=folder / "images")
""",
}
END = """
started = time.perf_counter()
call()
print(json.dumps({"seconds": time.perf_counter() - started}))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=24, help="at 1 times")
    parser.add_argument("--times", type=int, nargs="+", default=TIMES)
    parser.add_argument("--figure", type=Path, help="draw it here")
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for times in options.times:
            part = Path(folder) / str(times)
            write_scans(part / "phantom", part / "scans", times * options.scans)
            for name in COMMANDS:
                found[name, times] = measured(name, part, times * IMAGES)
                print(name, times, found[name, times], file=sys.stderr)
    rows = list(summary(found, options.times))
    reporting.print_table(rows)
    points = [{"command": n, "times": t} | f for (n, t), f in found.items()]
    reporting.write(
        {"machine": machine, "rows": rows, "points": points}, options.out
    )
    if options.figure:
        draw(found, options.times, options.figure)


def measured(name, folder, number):
    """Seconds of a call and megabytes of its process, at the most."""
    out, highest = watched.run(
        [sys.executable, "-c", START + BODIES[name] + END, folder, str(number)],
        cwd=Path(__file__).parent,  # for the modules beside this one
    )
    return json.loads(out.splitlines()[-1]) | {"megabytes": highest}


def summary(found, times):
    """Two rows a command: its seconds, and its memory."""
    for name, kind in itertools.product(COMMANDS, ("seconds", "megabytes")):
        values = [found[name, t][kind] for t in times]
        row = {"command": name, "what": kind}
        row |= {f"x{t}": v for t, v in zip(times, values, strict=True)}
        yield row | {"growth": growth(times, values)}


def growth(times, values):
    """What the last step added to a unit, over what all did; or nothing."""
    whole = (values[-1] - values[0]) / (times[-1] - times[0])
    last = (values[-1] - values[-2]) / (times[-1] - times[-2])
    is_constant = values[-1] < (1 + CONSTANT) * values[0]
    return "constant" if is_constant else f"{last / whole:.2f}"


def draw(found, times, path):
    """Both as lines on logarithmic axes, with one that grows as the data."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axis, kind in zip(axes, ("seconds", "megabytes"), strict=True):
        for name in COMMANDS:
            values = [found[name, t][kind] for t in times]
            axis.loglog(times, values, marker="o", label=name)
        least = min(found[name, times[0]][kind] for name in COMMANDS)
        line = [least * t / times[0] for t in times]
        axis.loglog(times, line, "k:", label="as the data")
        axis.set_xticks(times, [f"{t}x" for t in times])
        axis.minorticks_off()
        axis.set_xlabel("data")
        axis.set_ylabel(kind)
    axes[0].legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
