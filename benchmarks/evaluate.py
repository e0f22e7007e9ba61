"""How long `evaluate` takes, step by step, beside what it cannot do without.

That is the generator alone making as many images, and the encoder that the
run keeps seeing them and as many real ones. Seconds of each step come from
the calls that draw the progress bar; the first time, the encoder is trained.

    python benchmarks/evaluate.py [RUN] [--count 1000] [--search 10000]

Without a run a phantom cohort is made, and a generator trained for an epoch,
which needs pet-dcgan[demo]. About two minutes on two cores.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import reporting

from pet_dcgan.cli.console import start_tensorflow

STEPS = (
    "images read and made",
    "encoder",
    "pairs",
    "features",
    "copies",
    "variety",
    "profiles",
    "figures",
    "page",
)
BATCH = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--search", type=int, default=10_000)
    parser.add_argument("--scans", type=int, default=60, help="made, if so")
    parser.add_argument("--repeats", type=int, default=3)
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    start_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        run = opened(options, Path(folder))
        turns = [turn(run, options) for _ in range(options.repeats)]
    rows = list(summary(turns))
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


def opened(options, folder):
    """The run that is named, or one that is made."""
    from pet_dcgan.runs.run import Run

    if options.run:
        return Run.open(options.run)
    from made import prepared, trained

    return trained(prepared(folder, options.scans), folder / "run")


def turn(run, options):
    """Seconds of each step of an evaluation, and of the floor beside it."""
    from pet_dcgan.evaluation.evaluate import evaluate

    ends = [time.perf_counter()]
    evaluate(
        run,
        count=options.count,
        search=options.search,
        progress=lambda *_: ends.append(_now()),
    )
    seconds = [b - a for a, b in itertools.pairwise(ends)]
    found = dict(zip(STEPS, seconds, strict=True))
    return found | {"all": ends[-1] - ends[0], "floor": floor(run, options)}


def _now():
    return time.perf_counter()


def floor(run, options):
    """Seconds of all images made, and those measured seen twice."""
    import numpy as np
    import tensorflow as tf

    generator = run.load_generator()
    # kept by the evaluation before: it is loaded, not trained
    encoder = run.encoder(None)
    make = tf.function(lambda z: generator(z, training=False))
    started = time.perf_counter()
    made = max(options.count, options.search)
    latents = tf.random.stateless_uniform(
        [made, generator.input_shape[-1]], [0, 0], -1.0, 1.0
    )
    parts = []
    for first in range(0, made, BATCH):
        part = make(latents[first : first + BATCH])
        if first < options.count:
            parts.append(part)
    images = np.concatenate(parts)[: options.count, ..., 0]
    images = (images + 1) / 2 * run.config.suvr_max
    for _ in range(2):
        encoder.features(images)
    return time.perf_counter() - started


def summary(turns):
    """A row for each step: median seconds, and against the floor beside it."""
    for name in turns[0]:
        yield {
            "step": name,
            "seconds, first time": turns[0][name],
            "median": statistics.median(turn[name] for turn in turns),
            "times the floor": statistics.median(
                turn[name] / turn["floor"] for turn in turns
            ),
        }


if __name__ == "__main__":
    main()
