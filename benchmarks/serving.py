"""What serving costs: the served function, the archive, generate's rate.

The served function and the Keras generator inside a tf.function take turns,
as do generate and the bare signature, so that whatever else the machine does
falls on both alike; what is compared are medians of one run.

    python benchmarks/serving.py --preset paper --out serving.json

Weights are random unless `--run` names a finished run; the images of random
weights are noise, which makes larger PNGs than brains do.
"""

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import reporting

from pet_dcgan.cli.console import start_tensorflow

BATCHES = (1, 16, 64)
ROWS = 64
# what serving must reach
MOST_RATIO, MOST_SIZE, MOST_LOAD_S = 1.05, 1.1, 1.0
LEAST_RATE, MOST_MEMORY_GB = 0.9, 1.5

USAGE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
seconds = time.perf_counter() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
# Linux gives kibibytes, getrusage(2)
peak = usage.ru_maxrss * 1024 / 1e9
print(json.dumps({"seconds": seconds, "peak_gb": peak}))
"""


def make_generator(preset, size):
    """A preset's generator with its first weights, and its facts."""
    from pet_dcgan.models.model_info import ModelInfo
    from pet_dcgan.models.networks import build_generator
    from pet_dcgan.presets import PRESETS

    settings = PRESETS[preset]
    kept = ("channels", "latent_dim", "width", "kernel_size")
    shape = {name: settings[name] for name in kept}
    generator = build_generator(size=size, **shape)
    # with weights of 0.02 all images would be the same grey
    generator.set_weights([3 * w for w in generator.get_weights()])
    facts = ModelInfo(
        stage="AD",
        plane="axial",
        size=size,
        channels=settings["channels"],
        latent_dim=settings["latent_dim"],
        spacing_mm=1.5,
        suvr_max=2.5,
        reference="brain",
        preset=preset,
        phantom=True,
        made_by="benchmarks/serving.py",
    )
    return generator, facts


def of_run(path):
    """A finished run's generator and its facts."""
    from pet_dcgan.image_facts import ImageFacts
    from pet_dcgan.models.plain_generator import model_info
    from pet_dcgan.runs.run import Run

    run = Run.open(path)
    generator, facts = run.load_generator(), ImageFacts.of(run.config)
    return generator, model_info(generator, facts, preset=run.config.preset)


def in_turns(calls, rounds):
    """Wall and processor milliseconds of each call: medians, by name."""
    for call in calls.values():
        for _ in range(3):  # traced, and past the first allocations
            call()
    wall = {name: [] for name in calls}
    cpu = {name: [] for name in calls}
    for number in range(rounds):
        names = list(calls) if number % 2 else list(reversed(calls))
        for name in names:
            start, start_cpu = time.perf_counter(), time.process_time()
            calls[name]()
            wall[name].append(1e3 * (time.perf_counter() - start))
            cpu[name].append(1e3 * (time.process_time() - start_cpu))
    median = statistics.median
    return {n: {"ms": median(wall[n]), "cpu_ms": median(cpu[n])} for n in calls}


def served_function(generator, folder, facts, rounds):
    """The archive's function against the generator's, by batch."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    served = loaded.signatures["serving_default"]
    width = facts.latent_dim
    keras = tf.function(
        lambda latent: generator(latent, training=False),
        input_signature=[tf.TensorSpec([None, width], tf.float32)],
    )
    found = []
    for batch in BATCHES:
        latent = tf.random.stateless_uniform([batch, width], [0, batch], -1, 1)
        calls = {
            "served": lambda z=latent: served(latent=z)["image"].numpy(),
            "keras": lambda z=latent: keras(z).numpy(),
        }
        times = in_turns(calls, rounds)
        ratios = {
            f"ratio_{unit}": times["served"][unit] / times["keras"][unit]
            for unit in ("ms", "cpu_ms")
        }
        found.append({"batch": batch, **times, **ratios})
    return found


def archive(generator, folder, loads):
    """Its size against the weights, and seconds to load it."""
    import tensorflow as tf

    weights = sum(w.nbytes for w in generator.get_weights())
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    seconds = []
    for _ in range(loads):
        start = time.perf_counter()
        tf.saved_model.load(str(folder))
        seconds.append(time.perf_counter() - start)
    return {
        "weights_bytes": weights,
        "archive_bytes": size,
        "ratio": size / weights,
        "first_load_s": seconds[0],
        "load_s": statistics.median(seconds),
    }


def steady(folder, format_, count, out):
    """Seconds that generate takes between its first and last request."""
    from pet_dcgan.serving.generate import generate

    at = []
    generate(
        folder,
        count=count,
        out=out,
        format=format_,
        progress=lambda *_: at.append(time.perf_counter()),
    )
    return at[-1] - at[0]


def rates(folder, format_, requests, rounds):
    """Images a second of the bare signature and of generate, in turns."""
    import tensorflow as tf

    signature = tf.saved_model.load(str(folder)).signatures["generate_png"]
    found = {"bare": [], "generate": []}
    images = requests * ROWS
    for number in range(rounds):
        start = time.perf_counter()
        for first in range(0, images, ROWS):
            seeds = tf.range(first, first + ROWS, dtype=tf.int64)
            signature(seed=seeds)["image_bytes"].numpy()
        bare = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch, str(number))
            seconds = steady(folder, format_, images + ROWS, out)
        found["bare"].append(images / bare)
        found["generate"].append(images / seconds)
    pairs = zip(found["generate"], found["bare"], strict=True)
    return {
        "format": format_,
        "bare_per_s": statistics.median(found["bare"]),
        "generate_per_s": statistics.median(found["generate"]),
        "ratio": statistics.median(g / b for g, b in pairs),
    }


def command(folder, format_, count):
    """Peak memory and rate of the command, from its start to its end."""
    with tempfile.TemporaryDirectory() as scratch:
        words = ("--count", str(count), "--out", f"{scratch}/o")
        program = (sys.executable, "-m", "pet_dcgan", "generate", str(folder))
        # by way of a small process: Linux counts a parent's peak as a child's
        found = subprocess.run(
            [
                sys.executable,
                "-c",
                USAGE,
                *program,
                *words,
                "--format",
                format_,
            ],
            stdout=subprocess.PIPE,
            check=True,
        )
    return {"format": format_, "images": count} | json.loads(found.stdout)


def measure(options, folder):
    from pet_dcgan.models.saved_model import save_model

    generator, facts = (
        of_run(options.run)
        if options.run
        else make_generator(options.preset, options.size)
    )
    save_model(generator, folder, facts)
    facts.write(folder)
    before = reporting.machine()
    step = functools.partial(print, file=sys.stderr, flush=True)
    step("the served function")
    served = served_function(generator, folder, facts, options.rounds)
    step("the archive")
    stored = archive(generator, folder, loads=5)
    del generator
    step("generate, in turns")
    turns = [
        rates(folder, format_, options.requests, options.turns)
        for format_ in options.formats
    ]
    step("generate, the command")
    whole = command(folder, options.formats[0], options.count)
    return {
        "machine": before,
        "preset": facts.preset,
        "size": facts.size,
        "random_weights": options.run is None,
        "served_function": served,
        "archive": stored,
        "generate": turns,
        "command": whole,
    }


def rows(found):
    """What was asked for and what was found, a row each."""
    for each in found["served_function"]:
        yield row(
            f"served / Keras, batch {each['batch']}",
            f"{each['ratio_ms']:.3f} ({each['ratio_cpu_ms']:.3f} processor)",
            f"<= {MOST_RATIO}",
            f"{each['served']['ms']:.1f} / {each['keras']['ms']:.1f} ms",
        )
    stored, whole = found["archive"], found["command"]
    yield row(
        "archive / weights",
        f"{stored['ratio']:.3f}",
        f"<= {MOST_SIZE}",
        f"{stored['archive_bytes'] / 1e6:.1f} MB",
    )
    yield row(
        "load",
        f"{stored['load_s']:.2f} s",
        f"<= {MOST_LOAD_S:g} s",
        f"first {stored['first_load_s']:.2f} s",
    )
    for each in found["generate"]:
        yield row(
            f"generate {each['format']} / bare generate_png",
            f"{each['ratio']:.3f}",
            f">= {LEAST_RATE}",
            f"{each['generate_per_s']:.0f} / {each['bare_per_s']:.0f} a second",
        )
    yield row(
        f"generate, {whole['images']} images: peak memory",
        f"{whole['peak_gb']:.2f} GB",
        f"<= {MOST_MEMORY_GB} GB",
        f"{whole['images'] / whole['seconds']:.0f} a second from start to end",
    )


def row(what, found, asked, numbers):
    """A line of the table."""
    return {
        "what": what,
        "found": found,
        "asked for": asked,
        "in numbers": numbers,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--run", type=Path, help="a finished run instead")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--formats", nargs="+", default=["png"])
    reporting.add_out(parser)
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(options, Path(scratch, "ad", "1"))
    print(f"{found['preset']}, {found['size']} px")
    reporting.print_table(list(rows(found)))
    reporting.write(found, options.out)


if __name__ == "__main__":
    main()
