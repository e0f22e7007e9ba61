"""How long a training step waits for its images.

Trains a preset on a prepared set for some steps, with the slices in
memory and with the slices in a file, and gives the share of the time that was
spent waiting for the next batch; the first steps, in which TensorFlow
compiles, do not count.

    python benchmarks/input_wait.py DATA_DIR --config axial_64 axial_128

About a minute a line on two cores.
"""

import argparse
import statistics
import tempfile
import time

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.data import records

UNCOUNTED = 5
COLUMNS = (
    "set",
    "slices",
    "batch",
    "step ms",
    "wait ms",
    "longest ms",
    "share",
)


def timed_steps(config, slices, steps):
    """Seconds each step waited for its batch, and took with it."""
    import tensorflow as tf

    from pet_dcgan.data.batches import training_batches
    from pet_dcgan.models.configured_dcgan import build_dcgan

    model = build_dcgan(config)
    train_step = tf.function(model.train_step, jit_compile=False)
    waits, whole = [], []
    batches = iter(training_batches(slices, config))
    for _ in range(UNCOUNTED + steps):
        started = time.perf_counter()
        batch = next(batches)
        there = time.perf_counter()
        float(train_step(batch)["d_loss"])
        waits.append(there - started)
        whole.append(time.perf_counter() - started)
    return waits[UNCOUNTED:], whole[UNCOUNTED:]


def measured(preset, data_dir, dataset, steps, in_memory):
    """A line of the table."""
    from pet_dcgan.training.train import load_training_slices, resolve_config

    config = resolve_config(
        preset,
        data_dir=data_dir,
        dataset=dataset,
        stage="AD",
        overrides={"epochs": 10_000},
    )
    records.images_fit = lambda shape: in_memory
    with tempfile.TemporaryDirectory() as folder:
        slices = load_training_slices(config, overflow=folder)
        waits, whole = timed_steps(config, slices, steps)
    return (
        dataset,
        f"{len(slices.images)} in {'memory' if in_memory else 'a file'}",
        config.batch_size,
        f"{1e3 * statistics.median(whole):.0f}",
        f"{1e3 * statistics.median(waits):.2f}",
        f"{1e3 * max(waits):.0f}",
        f"{sum(waits) / sum(whole):.2%}",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir")
    parser.add_argument("--config", nargs="+", default=["axial_64"])
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    start_tensorflow()
    print(" | ".join(COLUMNS))
    for dataset in arguments.config:
        for in_memory in (True, False):
            row = measured(
                arguments.preset,
                arguments.data_dir,
                dataset,
                arguments.steps,
                in_memory,
            )
            print(" | ".join(map(str, row)), flush=True)


if __name__ == "__main__":
    main()
