"""Images a second from TFRecords to the training step, and what it eats.

- `cold`: `load_slices`, as every command reads a split: opened, filtered by
  stage and plane, decoded and ordered by subject, into memory. The system has
  read the files before.
- `cached`: `training_batches` of those slices, in batches of 64, a fresh
  permutation each epoch, float32 in [-1, 1] of one channel; and with the
  slices in a file, for what does not fit in memory.
- `bare`: tf.data alone over the same files: parsed and decoded, and let go or
  kept in one array; and cached, shuffled, batched and scaled.
- What other encodings of the same slices would give, decoded alone and by
  TensorFlow.
- What steps eat on this machine.

    python benchmarks/input_pipeline.py [DATA_DIR --config axial_128]

Without a folder a phantom cohort is made first, which needs pet-dcgan[demo].
Two to three minutes on two cores. All but what steps eat take turns. A set of
one plane is needed, as bare tf.data decodes all that there is.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import reporting

from pet_dcgan.cli.console import start_tensorflow

CASES = ("paper:64", "demo:16")
ENCODED = 512


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", nargs="?", type=Path)
    parser.add_argument("--config", default="axial_128")
    parser.add_argument("--scans", type=int, default=400, help="made, if so")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="each cached")
    parser.add_argument("--no-steps", action="store_true", help="skip these")
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    start_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = options.data_dir or _made(Path(folder), options)
        ways = list(ways_of(data_dir, Path(folder), options))
        rows = measured(ways, options.repeats)
    if not options.no_steps:
        rows += appetites()
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


def _made(folder, options):
    from made import prepared

    return prepared(folder, options.scans, options.config)


def ways_of(data_dir, folder, options):
    """Names, functions that read or make images, and how many those are."""
    from pet_dcgan.data import prepared_set

    chosen = {"split": "train", "stage": "ALL", "plane": "axial"}

    def load():
        prepared_set._opened.cache_clear()
        return prepared_set.load_slices(data_dir, options.config, **chosen)

    slices = load()
    images = slices.images
    print(f"{len(images)} slices of {images.shape[1:]}", file=sys.stderr)
    records = record_files(data_dir, options.config)
    yield "cold: load_slices", lambda: len(load().images)
    yield "cold: bare tf.data", lambda: count_of(decoded(records))
    yield "cold: bare tf.data, kept", lambda: len(in_memory(records))
    on_disk = _on_disk(images, folder)
    streamed = dataclasses.replace(slices, images=on_disk)
    for name, source in (("memory", slices), ("a file", streamed)):
        yield f"cached: in {name}", timed_batches(source, options.seconds)
    bare = bare_batches(images)
    yield "cached: bare tf.data", lambda: until(bare, options.seconds)
    yield from encodings(images[:ENCODED])


def measured(ways, repeats):
    """A row for each way; they take turns."""
    rates = {name: [] for name, _ in ways}
    for number in range(repeats + 1):
        for name, function in ways:
            started = time.perf_counter()
            count = function()
            seconds = time.perf_counter() - started
            if number:  # the first one compiles
                rates[name].append(count / seconds)
    return [
        {
            "way": name,
            "images/s": statistics.median(found),
            "least": min(found),
            "most": max(found),
        }
        for name, found in rates.items()
    ]


def record_files(data_dir, config):
    """The training split's files."""
    from pet_dcgan.data.prepared_set import open_set

    return [str(f.path) for f in open_set(data_dir, config).records("train")]


def decoded(files):
    """A bare pipeline: parsed and decoded, nothing else."""
    import tensorflow as tf

    feature = {"image": tf.io.FixedLenFeature([], tf.string)}

    def image(record):
        png = tf.io.parse_single_example(record, feature)["image"]
        return tf.io.decode_png(png, channels=1, dtype=tf.uint16)

    files = tf.data.TFRecordDataset(files)
    return files.map(image, tf.data.AUTOTUNE, deterministic=False).batch(64)


def in_memory(files):
    """The images of a bare pipeline in one array, as `load_slices` gives it."""
    return np.concatenate(list(decoded(files).as_numpy_iterator()))


def count_of(batches):
    """Iterates once; the number of images."""
    return sum(len(batch) for batch in batches)


def timed_batches(slices, seconds):
    """A function that takes training batches for so long."""
    from pet_dcgan.config import make_config
    from pet_dcgan.data.batches import training_batches

    meta = slices.meta
    config = make_config(
        "paper",
        overrides={"channels": 1, "epochs": 1_000_000},
        stage="ALL",
        plane="axial",
        dataset=meta.dataset,
        data_dir="none",
        phantom=meta.phantom,
        size=meta.size,
        spacing_mm=meta.spacing_mm,
        suvr_max=meta.suvr_max,
        reference=meta.reference,
        seed=0,
    )
    batches = training_batches(slices, config)
    return lambda: until(batches, seconds)


def until(batches, seconds):
    """Takes batches for so long; the number of images."""
    count, end = 0, time.perf_counter() + seconds
    for batch in batches:
        count += len(batch)
        if time.perf_counter() > end:
            break
    return count


def bare_batches(images):
    """What tf.data does by itself with images in memory."""
    import tensorflow as tf

    from pet_dcgan.data.suvr import PNG_MAX

    def scaled(batch):
        wide = tf.cast(batch, tf.float32)[..., tf.newaxis]
        return wide * (2.0 / PNG_MAX) - 1.0

    batches = tf.data.Dataset.from_tensor_slices(images).repeat()
    batches = batches.shuffle(1024, seed=0).batch(64)
    batches = batches.map(scaled, tf.data.AUTOTUNE)
    # one way through, so that shuffling's buffer is filled once
    return iter(batches.prefetch(tf.data.AUTOTUNE))


def _on_disk(images, folder):
    path = folder / "slices.uint16"
    images.tofile(path)
    return np.memmap(path, np.uint16, "r", shape=images.shape)


def encodings(images):
    """Decoding of the same slices in PNG, zlib and as they are."""
    import tensorflow as tf

    from tfds_adni.volumes.slices import encode_png

    raw = [image.tobytes() for image in images]
    forms = {
        "PNG": (
            [encode_png(image) for image in images],
            lambda b: tf.io.decode_png(b, channels=1, dtype=tf.uint16),
        ),
        "zlib": (
            [zlib.compress(b, 1) for b in raw],
            lambda b: tf.io.decode_raw(
                tf.io.decode_compressed(b, "ZLIB"), tf.uint16
            ),
        ),
        "nothing": (raw, lambda b: tf.io.decode_raw(b, tf.uint16)),
    }
    for name, (stored, decode) in forms.items():
        kilobytes = sum(map(len, stored)) / len(stored) / 1e3
        source = tf.data.Dataset.from_tensor_slices(stored).repeat(8)
        pixels = source.map(decode, tf.data.AUTOTUNE).batch(64)
        yield (
            f"encoded by {name}, {kilobytes:.1f} kB",
            lambda pixels=pixels: count_of(pixels),
        )


def appetites():
    """Images a second that steps eat."""
    import tensorflow as tf
    from train_step import made_model

    for case in CASES:
        preset, batch = case.split(":")
        model = made_model(preset, int(batch))
        shape = [int(batch), *model.generator.output_shape[1:]]
        images = tf.random.stateless_uniform(shape, [0, 0], -1.0, 1.0)
        step = tf.function(model.train_step, jit_compile=False)
        rates = []
        for number in range(4):
            started = time.perf_counter()
            float(step(images)["g_loss"])
            if number:
                rates.append(int(batch) / (time.perf_counter() - started))
        yield {
            "way": f"eaten here: {case}",
            "images/s": statistics.median(rates),
            "least": min(rates),
            "most": max(rates),
        }


if __name__ == "__main__":
    main()
