"""Which options help a training on 24 subjects, measured.

Every arm trains the paper's networks, a quarter as wide, on the same 24
phantom subjects (AD) for the same number of steps, once for each seed, and is
judged against 200 phantom subjects that nobody trained on.

    python benchmarks/small_data.py WORK               # every arm at 64x64
    python benchmarks/small_data.py WORK --size 128 --arms paper A B
    python benchmarks/small_data.py WORK --table       # what is there so far

WORK keeps the phantom cohorts, the judging encoder, and one JSON line a run in
`runs_<size>.jsonl`; a run that stands there already is not made again.
"""

import argparse
import json
import math
import shutil
import statistics
import time
from pathlib import Path

import numpy as np

from pet_dcgan.cli.console import start_tensorflow

STAGE = "AD"
TRAINING_SUBJECTS, SUBJECTS, FRESH = 24, 34, 200
# The paper's settings at a width and batch that two cores can train.
SMALL = {"width": 16, "channels": 1, "batch_size": 16}
RATES = {"g_learning_rate": 1e-3, "d_learning_rate": 2e-4}
FOUR = "translate,cutout,rotate,scale"
OPTIONS = {
    "ema": {"ema_decay": 0.995},
    "augment": {"augment": FOUR, "augment_probability": 0.5},
    "adaptive": {
        "augment": FOUR,
        "augment_probability": 0.0,
        "augment_target": 0.6,
    },
    "smooth": {"label_smoothing": 0.1},
    "r1": {"r1_weight": 1.0, "r1_every": 4},
    "spectral": {"spectral_norm": True},
    "warm": {"warm_start": True},
}
BASES = {"paper": {}, "rates": RATES}
# At the paper's rates the first 1,000 to 2,000 steps draw noise, and at unequal
# ones a single step's generator does; the other options are added to the
# average, which mends that.
ARMS = (
    *BASES,
    "rates+ema",
    *(f"rates+ema+{name}" for name in OPTIONS if name != "ema"),
)


def arm_settings(name):
    """The settings of an arm: `paper` or `rates`, and options joined by +."""
    base, *options = name.split("+")
    settings = dict(BASES[base])
    for option in options:
        settings |= OPTIONS[option]
    return settings


def make_cohorts(work):
    """The phantom to train on and the one to judge by, prepared."""
    from tfds_adni import prepare
    from tfds_adni.phantom import write_cohort

    plans = (
        ("training", SUBJECTS, ("NC", "MCI", "AD"), 0),
        ("fresh", FRESH, (STAGE,), 1),
    )
    for name, count, stages, seed in plans:
        scans, data = work / name / "scans", work / name / "data"
        if not scans.exists():
            subjects = dict.fromkeys(stages, count)
            write_cohort(scans, subjects=subjects, seed=seed)
        for size in (64, 128):
            if not (data / "adni" / f"axial_{size}").exists():
                prepare(scans, data, config=f"axial_{size}")


def slices_of(data, size, splits):
    """Slices in SUVR, their subjects and positions, of several splits."""
    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import suvr_from_png

    parts = [
        load_slices(
            data, f"axial_{size}", split=split, stage=STAGE, plane="axial"
        )
        for split in splits
    ]
    suvr = [suvr_from_png(p.images, p.meta.suvr_max) for p in parts]
    return (
        np.concatenate(suvr),
        np.concatenate([p.subjects for p in parts]),
        np.concatenate([p.positions_mm for p in parts]),
    )


class Judge:
    """Scores of synthetic slices against subjects nobody trained on."""

    def __init__(self, work, size):
        from pet_dcgan.features.train_encoder import random_encoder

        every = ("train", "validation", "test")
        train, subjects, positions = slices_of(
            work / "training" / "data", size, ("train",)
        )
        if len(set(subjects)) != TRAINING_SUBJECTS:
            raise ValueError(
                f"expected {TRAINING_SUBJECTS} training subjects, found "
                f"{len(set(subjects))}"
            )
        self.fresh, self.owners, _ = slices_of(
            work / "fresh" / "data", size, every
        )
        self.halves = self.owners < np.sort(self.owners)[len(self.owners) // 2]
        self.encoders = {
            "trained": kept_encoder(
                work / f"encoder_{size}", train, positions, subjects
            ),
            "random": random_encoder(train, seed=0),
        }
        self.train = {n: e.features(train) for n, e in self.encoders.items()}
        self.real = {
            n: e.features(self.fresh) for n, e in self.encoders.items()
        }

    def scores(self, made):
        """Every figure of the table, by encoder."""
        return {
            name: self._scores(
                name, self.real[name], encoder.features(made), self.owners
            )
            for name, encoder in self.encoders.items()
        }

    def real_against_real(self):
        """The same of one half of the fresh subjects against the other."""
        return {
            name: self._scores(
                name,
                real[~self.halves],
                real[self.halves],
                self.owners[~self.halves],
                self.owners[self.halves],
            )
            for name, real in self.real.items()
        }

    def _scores(self, name, real, features, owners, other_owners=None):
        from pet_dcgan.metrics.distribution import (
            frechet_ratio,
            kid,
            precision_recall_density_coverage,
        )
        from pet_dcgan.metrics.neighbors import nearest_distances

        train = self.train[name]
        by_subject = {"subjects": owners, "synthetic_subjects": other_owners}
        prdc = precision_recall_density_coverage(real, features, **by_subject)
        to_train = np.median(nearest_distances(features, train))
        return {
            "kid": kid(real, features, **by_subject).value,
            "frechet_ratio": frechet_ratio(
                real, features, seed=0, subjects=owners, splits=3
            ),
            "precision": prdc.precision,
            "recall": prdc.recall,
            "coverage": prdc.coverage,
            # of synthetic slices over that of fresh real ones
            "neighbour": to_train / np.median(nearest_distances(real, train)),
        }


def kept_encoder(path, slices, positions, subjects):
    """The judging encoder of a size, trained once."""
    from pet_dcgan.features.encoder import Encoder
    from pet_dcgan.features.train_encoder import train_encoder

    if path.exists():
        return Encoder.load(path)
    encoder = train_encoder(
        slices, positions_mm=positions, subjects=subjects, seed=0
    )
    encoder.save(path)
    return encoder


def run_arm(work, size, arm, seed, steps):
    """Trains one arm; gives the run and the seconds it took."""
    settings = SMALL | arm_settings(arm)
    home = work / f"runs_{size}" / f"{arm}_{steps}" / str(seed)
    start = time.monotonic()
    if settings.pop("warm_start", False):
        steps //= 2
        first = fit(work, size, "ALL", settings, seed, steps, home / "all")
        settings["warm_start"] = str(first.path)
    run = fit(work, size, STAGE, settings, seed, steps, home / "run")
    return run, time.monotonic() - start


def fit(work, size, stage, settings, seed, steps, path):
    """One training of about so many steps, whole epochs of them."""
    from pet_dcgan.runs.run import Run
    from pet_dcgan.training.train import resolve_config, train

    data, dataset = work / "training" / "data", f"axial_{size}"
    count = len(slices_of(data, size, ("train",))[0])
    count *= 3 if stage == "ALL" else 1
    epochs = math.ceil(steps / (count // settings["batch_size"]))
    warm = settings.pop("warm_start", "")
    config = resolve_config(
        "paper",
        data_dir=data,
        dataset=dataset,
        stage=stage,
        overrides=settings | {"epochs": epochs, "samples_every": epochs},
        seed=seed,
        warm_start=warm,
    )
    if path.exists():
        run = Run.open(path)
        if run.finished:
            return run
        shutil.rmtree(path)
    return train(config, path, verbose=0)


def measure(work, size, arms, seeds, steps):
    """Trains and judges what is not in the file yet, a line a run."""
    from pet_dcgan.models.sampling import synthetic_slices

    path = work / f"runs_{size}.jsonl"
    rows = read(path)
    done = {(r["arm"], r["seed"], r["steps"]) for r in rows}
    judge = Judge(work, size)
    real = {"arm": "real", "seed": 0, "steps": 0}
    if ("real", 0, 0) not in done:
        write(path, real | {"seconds": 0} | judge.real_against_real())
    for seed in range(seeds):
        for arm in arms:
            if (arm, seed, steps) in done:
                continue
            run, seconds = run_arm(work, size, arm, seed, steps)
            made = synthetic_slices(
                run.load_generator(),
                np.arange(len(judge.fresh)),
                suvr_max=run.config.suvr_max,
            )
            row = {"arm": arm, "seed": seed, "steps": steps}
            write(path, row | {"seconds": seconds} | judge.scores(made))


def read(path):
    """The rows of a file, none where it is missing."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def write(path, row):
    """Adds a row."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


COLUMNS = {
    "kid": "KID",
    "frechet_ratio": "Fréchet ratio",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "neighbour": "distance to training",
}


def table(rows, encoder):
    """Markdown: medians over seeds, the range of KID, the least coverage."""
    heads = [*COLUMNS.values(), "KID, all seeds", "least coverage"]
    lines = ["| arm | " + " | ".join(heads) + " |"]
    lines.append("|---" * (len(heads) + 1) + "|")
    found = dict.fromkeys(row["arm"] for row in rows)
    for arm in dict.fromkeys(["real", *ARMS, *found]):
        own = [row[encoder] for row in rows if row["arm"] == arm]
        if not own:
            continue
        cells = [
            f"{statistics.median(row[name] for row in own):.3f}"
            for name in COLUMNS
        ]
        cells.append(" ".join(f"{row['kid']:.3f}" for row in own))
        cells.append(f"{min(row['coverage'] for row in own):.2f}")
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument("--arms", nargs="+", default=ARMS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        start_tensorflow()
        make_cohorts(options.work)
        measure(
            options.work,
            options.size,
            options.arms,
            options.seeds,
            options.steps,
        )
    rows = read(options.work / f"runs_{options.size}.jsonl")
    for encoder in ("trained", "random"):
        print(f"\nPhantom, {options.size}x{options.size}, {encoder} encoder\n")
        print(table(rows, encoder))


if __name__ == "__main__":
    main()
