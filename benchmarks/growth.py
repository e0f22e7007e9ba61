"""How time and memory grow with the data, command by command.

`prepare`, `train`, `evaluate` and `generate` at 1, 2, 4 and 8 times the data,
each in a process of its own; medians, where they are repeated. Seconds are
those of the call, after Python and TensorFlow have started; memory is the
highest sum of PSS of the process tree, asked for five times a second (for
`generate` with the export before it). `evaluate` finds its encoder trained,
which takes the same number of steps whatever the data are.

What does not grow (tracing, loading) hides what does, so beside how often the
first cost the last one is, `last doubling` says what that added to each unit
of data, over what all of them did: 1 where cost grows as the data, 1.33 where
it grows as their square, below 1 where it grows more slowly.

    python benchmarks/growth.py [--scans 24] [--repeats 3] [--figure FILE]

Needs pet-dcgan[demo]; about four minutes a repeat on two cores.
"""

import argparse
import collections
import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path

import reporting
import watched
from made import write_scans

TIMES = (1, 2, 4, 8)
COMMANDS = ("prepare", "train", "evaluate", "generate")
KINDS = ("seconds", "megabytes")
IMAGES = 128  # made at 1 times
CONSTANT = 0.1  # grows by less than this share
START = """
import json, sys, time
from pathlib import Path
from pet_dcgan.cli.console import start_tensorflow
folder, scans, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
data, run, encoder = folder / "data", folder / "run", Path(sys.argv[4])
"""
# once, not measured: what evaluate leaves in a run
ENCODER = """
start_tensorflow()
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.runs.run import Run
import shutil
def call():
    evaluate(Run.open(run), count=2, search=2)
    shutil.move(run / "encoder", encoder)
"""
BODIES = {
    "prepare": """
from tfds_adni import prepare
import tensorflow
call = lambda: prepare(scans, data)
""",
    "train": """
start_tensorflow()
from made import trained
call = lambda: trained(data, run)
""",
    "evaluate": """
start_tensorflow()
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.runs.run import Run
import shutil
shutil.copytree(encoder, run / "encoder")
call = lambda: evaluate(Run.open(run), count=number, search=number)
""",
    "generate": """
start_tensorflow()
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.generate import generate
from pet_dcgan.runs.run import Run
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
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--figure", type=Path, help="draw it here")
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    with tempfile.TemporaryDirectory() as folder:
        points = list(measured(Path(folder), options))
    found = medians(points)
    rows = list(summary(found, options.times))
    reporting.print_table(rows)
    reporting.write(
        {"machine": machine, "rows": rows, "points": points}, options.out
    )
    if options.figure:
        draw(found, options.times, options.figure)


def measured(folder, options):
    """Each command at each size, as often as is asked for, in turns."""
    for times in options.times:
        count = times * options.scans
        write_scans(folder / f"phantom{times}", folder / f"{times}", count)
    for turn, times in itertools.product(range(options.repeats), options.times):
        part, encoder = folder / f"turn{turn}x{times}", folder / "encoder"
        words = [part, folder / f"{times}", times * IMAGES, encoder]
        for name in COMMANDS:
            if name == "evaluate" and not encoder.is_dir():
                run(ENCODER, words)
            point = {"command": name, "times": times}
            point |= run(BODIES[name], words)
            print(point, file=sys.stderr)
            yield point


def run(body, words):
    """Seconds of a call and megabytes of its process, at the most."""
    out, highest = watched.run(
        [sys.executable, "-c", START + body + END, *map(str, words)],
        cwd=Path(__file__).parent,  # for the modules beside this one
    )
    return json.loads(out.splitlines()[-1]) | {"megabytes": highest}


def medians(points):
    """By command, times, and what was measured."""
    values = collections.defaultdict(list)
    for point, kind in itertools.product(points, KINDS):
        values[point["command"], point["times"], kind].append(point[kind])
    return {key: statistics.median(some) for key, some in values.items()}


def summary(found, times):
    """Two rows a command: its seconds, and its memory."""
    for name, kind in itertools.product(COMMANDS, KINDS):
        values = [found[name, t, kind] for t in times]
        row = {"command": name, "what": kind}
        row |= {f"x{t}": v for t, v in zip(times, values, strict=True)}
        row["last / first"] = values[-1] / values[0]
        yield row | {"last doubling": last_doubling(times, values)}


def last_doubling(times, values):
    """What the last step added to a unit, over what all did; or nothing."""
    whole = (values[-1] - values[0]) / (times[-1] - times[0])
    last = (values[-1] - values[-2]) / (times[-1] - times[-2])
    is_constant = values[-1] < (1 + CONSTANT) * values[0]
    return "constant" if is_constant else f"{last / whole:.2f}"


def draw(found, times, path):
    """Seconds on logarithmic axes beside what grows as the data; memory."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axis, kind in zip(axes, KINDS, strict=True):
        for name in COMMANDS:
            values = [found[name, t, kind] for t in times]
            axis.plot(times, values, marker="o", label=name)
        axis.set_xscale("log")
        axis.set_xticks(times, [f"{t}x" for t in times])
        axis.minorticks_off()
        axis.set_xlabel("data")
    seconds, megabytes = axes
    seconds.set_yscale("log")
    seconds.yaxis.set_major_formatter("{x:g}")
    low, high = seconds.get_ylim()
    for first in (low * 2**n for n in range(1, 12, 2)):
        line = [first * t / times[0] for t in times]
        seconds.plot(times, line, ":", color="0.7", zorder=0)
    seconds.set_ylim(low, high)
    seconds.set_title("seconds (dotted: as the data)")
    megabytes.set_ylim(0)
    megabytes.set_title("megabytes at the most")
    figure.legend(*megabytes.get_legend_handles_labels(), loc="outside right")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
