"""Whether `val_kid` of `fit` chooses as good an epoch as a trained encoder.

`fit` with `validation_data` measures a KID by random convolutions, which need
no training; `train` chooses by an encoder trained on training slices. Here
trainings of the `demo` preset are measured every five epochs by both, and by a
judge: another encoder, other subjects (the test split), more images.

    pet-dcgan phantom scans --subjects 24
    pet-dcgan prepare scans --data-dir data --config axial_64
    python benchmarks/val_kid.py data WORK           # half an hour on a core
    python benchmarks/val_kid.py data WORK --table   # what is there so far

WORK gets the encoders and one JSON line a measurement; a training that stands
there whole is not made again.
"""

import argparse
import json
from pathlib import Path
from statistics import median

import numpy as np

from pet_dcgan.cli.console import start_tensorflow

STAGES = ("AD", "NC")
DATASET = "axial_64"
EVERY = 5
# as a selection of `train` draws, and what the judge looks at
SELECTION_IMAGES, JUDGED_IMAGES = 256, 512
FIRST_SEED = 2**40
MONITORS = {
    "val_kid": "`val_kid` of `fit`",
    "val_kid_encoder": "`KID.of` a trained encoder",
    "by_subject": "`distribution.kid` by subject, as `train` does",
}
JUDGE = "judge"


def kept_encoder(path, slices, seed):
    """An encoder trained on training slices, once."""
    from pet_dcgan.data.suvr import suvr_from_png
    from pet_dcgan.features.encoder import Encoder
    from pet_dcgan.features.train_encoder import train_encoder

    if path.exists():
        return Encoder.load(path)
    encoder = train_encoder(
        suvr_from_png(slices.images, slices.meta.suvr_max),
        positions_mm=slices.positions_mm,
        subjects=slices.subjects,
        seed=seed,
    )
    encoder.save(path)
    return encoder


class Measured:
    """One encoder and real slices, and the KID of a model beside them."""

    def __init__(self, encoder, slices, count):
        from pet_dcgan.data.suvr import suvr_from_png

        self.encoder, self.subjects = encoder, slices.subjects
        self.suvr_max = slices.meta.suvr_max
        self.real = encoder.features(
            suvr_from_png(slices.images, self.suvr_max)
        )
        self.seeds = FIRST_SEED + np.arange(count)

    def kid(self, model):
        """KID of the images that would be drawn now, by subject."""
        from pet_dcgan.metrics.distribution import kid
        from pet_dcgan.models.sampling import synthetic_slices

        made = synthetic_slices(
            model.sampler_network, self.seeds, suvr_max=self.suvr_max
        )
        features = self.encoder.features(made)
        return kid(self.real, features, subjects=self.subjects).value


def train(data_dir, work, stage, seed, epochs):
    """The rows of one training."""
    import keras

    import pet_dcgan as pd

    config = pd.resolve_config(
        "demo",
        data_dir=data_dir,
        dataset=DATASET,
        stage=stage,
        overrides={"epochs": epochs},
        seed=seed,
    )
    slices = pd.load_training_slices(config)
    held_out = pd.load_validation_slices(config)
    test = pd.load_slices(
        data_dir, DATASET, stage=stage, plane=config.plane, split="test"
    )
    encoder, judge = (
        kept_encoder(work / f"encoder_{stage}_{n}", slices, seed=n)
        for n in (0, 1)
    )
    monitor = Measured(encoder, held_out, SELECTION_IMAGES)
    judge = Measured(judge, test, JUDGED_IMAGES)
    model = pd.build_dcgan(config)
    model.compile(
        g_optimizer=model.g_optimizer,
        d_optimizer=model.d_optimizer,
        loss=model.loss_of,
        metrics=[
            pd.KID(config.size),
            pd.KID.of(encoder, suvr_max=config.suvr_max, name="kid_encoder"),
        ],
        jit_compile=False,
    )
    rows = []

    def measure(epoch, logs):
        if "val_kid" in logs:
            found = {n: logs[n] for n in ("val_kid", "val_kid_encoder")}
            found |= {"by_subject": monitor.kid(model)}
            found |= {JUDGE: judge.kid(model), "epoch": epoch + 1}
            rows.append({"stage": stage, "seed": seed} | found)

    model.fit(
        slices,
        validation_data=held_out,
        validation_freq=EVERY,
        batch_size=config.batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=measure)],
    )
    return rows


def table(rows):
    """Markdown: medians over the trainings."""
    from scipy.stats import spearmanr

    runs = {}
    for row in rows:
        runs.setdefault((row["stage"], row["seed"]), []).append(row)
    found = {name: ([], [], []) for name in MONITORS}
    for measured in runs.values():
        judged = [row[JUDGE] for row in measured]
        for name, (ranks, late, chosen) in found.items():
            values = [row[name] for row in measured]
            half = len(values) // 2
            ranks.append(float(spearmanr(values, judged)[0]))
            late.append(float(spearmanr(values[half:], judged[half:])[0]))
            chosen.append(judged[int(np.argmin(values))])
    least = [min(row[JUDGE] for row in m) for m in runs.values()]
    last = [m[-1][JUDGE] for m in runs.values()]
    lines = [
        "| monitor | rank correlation with the judge | of the second half | "
        "judge's KID of the epoch it chooses |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {MONITORS[name]} | {spread(ranks, 2)} | {spread(late, 2)} | "
        f"{spread(chosen, 3)} |"
        for name, (ranks, late, chosen) in found.items()
    ]
    lines.append(f"| none: the last epoch | | | {spread(last, 3)} |")
    lines.append(f"| the judge itself | | | {spread(least, 3)} |")
    return "\n".join(lines)


def spread(values, digits):
    """Median, least and largest."""
    low, middle, high = (
        f"{value:.{digits}f}"
        for value in (min(values), median(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def read(path):
    """The rows of a file, none where it is missing."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    path = options.work / "val_kid.jsonl"
    if not options.table:
        start_tensorflow()
        options.work.mkdir(parents=True, exist_ok=True)
        done = {(row["stage"], row["seed"]) for row in read(path)}
        for seed in range(options.seeds):
            for stage in STAGES:
                if (stage, seed) in done:
                    continue
                rows = train(
                    options.data, options.work, stage, seed, options.epochs
                )
                with path.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
    print(table(read(path)))


if __name__ == "__main__":
    main()
