"""What healthy and failing trainings look like, in numbers and a figure.

Trains small networks on a prepared phantom set with settings that work and
with settings that do not, each as `pet-dcgan train` would, with a look at its
health every 50 steps. `docs/training-curves.md` rests on what it prints, and
the thresholds of `pet_dcgan/training/health.py` on both.

    python benchmarks/training_curves.py DATA_DIR WORK
    python benchmarks/training_curves.py DATA_DIR WORK --only collapse
    python benchmarks/training_curves.py DATA_DIR WORK --figure FILE.png

WORK keeps `<run>/health.csv`; a run that stands there is not made again. About
90 s a run on two free cores.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.presets import PLAIN, PRESETS

DATASET = "axial_64"
EVERY = 50
SMALL = {"width": 8}


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of training.

    Args:
        settings: What differs from the demo preset as a plain DCGAN.
        starts: Stage and seed of each training.
        steps: How long it goes on.
        subjects: How many of the training subjects there are, 0 for all.
    """

    settings: dict
    starts: tuple = (("AD", 0),)
    steps: int = 1000
    subjects: int = 0


# what the robust preset, and the demo's, add to a plain DCGAN
ROBUST = "ema_decay", "augment", "augment_target", "bend_mm"
STARTS = (("AD", 0), ("AD", 1), ("MCI", 2), ("NC", 3))
TWO = STARTS[:2]
CASES = {
    "healthy": Case({}, STARTS, 1500),
    "healthy, robust": Case(
        {name: PRESETS["robust"][name] for name in ROBUST}, STARTS[::3], 1500
    ),
    "slow start": Case(SMALL, STARTS, 1500),
    "discriminator wins": Case(
        SMALL | {"g_learning_rate": 1e-4, "d_learning_rate": 1e-3}, TWO, 600
    ),
    "generator wins": Case(SMALL | {"d_learning_rate": 1e-5}, TWO, 600),
    "collapse": Case(
        SMALL | {"g_learning_rate": 5e-3, "beta_1": 0.9}, TWO, 1000
    ),
    "collapse to few kinds": Case(SMALL | {"latent_dim": 1}, TWO, 1000),
    "no progress": Case(
        SMALL | {"g_learning_rate": 1e-6, "d_learning_rate": 1e-6}, TWO, 600
    ),
    "one subject": Case({"batch_size": 8}, TWO, 2000, subjects=1),
}
# not drawn: they come to be healthy
RECOVERING = ("slow start",)


def slices_of(config, count):
    """The training slices, of the first `count` subjects if not of all."""
    from pet_dcgan.data.training_data import load_training_slices

    slices = load_training_slices(config)
    if not count:
        return slices
    kept = np.isin(slices.subjects, sorted(set(slices.subjects))[:count])
    fields = ("images", "subjects", "scans", "positions_mm")
    fewer = {name: getattr(slices, name)[kept] for name in fields}
    return dataclasses.replace(slices, **fewer)


def fit(case, start, data_dir, folder):
    """One training; `folder` then holds its `health.csv`."""
    import tensorflow as tf

    from pet_dcgan.data.batches import steps_per_epoch, training_batches
    from pet_dcgan.data.training_data import (
        load_validation_slices,
        resolve_config,
    )
    from pet_dcgan.models.configured_dcgan import build_dcgan
    from pet_dcgan.training.health_log import HealthLog
    from pet_dcgan.training.health_monitor import HealthMonitor
    from pet_dcgan.training.vitals import RealImages, pooled_stored

    stage, seed = start
    resolve = {"data_dir": data_dir, "dataset": DATASET, "stage": stage}
    config = resolve_config(
        "demo", overrides=PLAIN | case.settings, seed=seed, **resolve
    )
    slices = slices_of(config, case.subjects)
    epochs = -(-case.steps // steps_per_epoch(slices, config))
    config = dataclasses.replace(config, epochs=epochs)
    held_out = load_validation_slices(config).images
    rows = [
        pooled_stored(x, config.suvr_max) for x in (slices.images, held_out)
    ]
    monitor = HealthMonitor(
        HealthLog(folder / "health.csv", phantom=config.phantom),
        config=config,
        real=RealImages(rows[0], slices.subjects, rows[1]),
        steps_per_epoch=EVERY,
        writer=tf.summary.create_file_writer(str(folder / "tensorboard")),
        checkpoint=folder,
    )
    (folder / "config.json").write_text(config.to_json())
    build_dcgan(config).fit(
        training_batches(slices, config),
        steps_per_epoch=EVERY,
        epochs=case.steps // EVERY,
        shuffle=False,
        verbose=0,
        callbacks=[monitor],
    )


def run_all(data_dir, work, only):
    for name, case in CASES.items():
        for stage, seed in case.starts:
            folder = work / folder_name(name, (stage, seed))
            if (folder / "done").exists() or (only and name not in only):
                continue
            started = time.monotonic()
            fit(case, (stage, seed), data_dir, folder)
            (folder / "done").touch()
            seconds = time.monotonic() - started
            print(f"{folder.name}: {seconds:.0f} s", flush=True)


def looks_of(work, name):
    """Looks of each training of a case that is done, and its folder."""
    from pet_dcgan.training.health_log import HealthLog

    folders = [work / folder_name(name, start) for start in CASES[name].starts]
    for folder in folders:
        if (folder / "done").exists():
            log = HealthLog(folder / "health.csv", phantom=True)
            yield folder, log.records_before(10**9)


def folder_name(name, start):
    stage, seed = start
    return f"{name.replace(',', '').replace(' ', '_')}_{stage}_{seed}"


def column(looks, measure):
    return np.array([getattr(look, measure) for look in looks])


MEASURES = {
    "d_loss": "discriminator's loss",
    "g_loss": "generator's loss",
    "real_accuracy": "real images recognised",
    "fake_accuracy": "generated images recognised",
    "diversity": "diversity",
    "distinctness": "distinctness",
    "misfit": "misfit",
    "training_distance": "distance from training images",
}


def print_tables(work, settled=500):
    """Ranges once settled, and what is said when by the rules of today."""
    print("| training | " + " | ".join(MEASURES) + " |")
    print("|---" * (len(MEASURES) + 1) + "|")
    for name in CASES:
        runs = [looks[settled // EVERY :] for _, looks in looks_of(work, name)]
        late = [look for looks in runs for look in looks]
        if late:
            values = [column(late, measure) for measure in MEASURES]
            cells = [f"{v.min():.2f} to {v.max():.2f}" for v in values]
            print(f"| {name} ({len(runs)}) | " + " | ".join(cells) + " |")
    for name in CASES:
        for folder, looks in looks_of(work, name):
            steps = looks[-1].epoch * EVERY
            print(f"{folder.name}, {steps} steps: {said(folder, looks)}")


def said(folder, looks):
    """First step at which each state is found."""
    from pet_dcgan.config import TrainConfig
    from pet_dcgan.training.health import examine

    config = TrainConfig.from_json((folder / "config.json").read_text())
    first = {}
    for count in range(1, len(looks) + 1):
        for finding in examine(looks[:count], config):
            first.setdefault(finding.state, looks[count - 1].epoch * EVERY)
    return ", ".join(f"{s} at {step}" for s, step in first.items()) or "-"


def draw(work, path):
    """Healthy trainings in grey, one failing one of each kind in colour."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6.4), layout="constrained")
    axes = dict(zip(MEASURES, figure.subplots(2, 4).flat, strict=True))
    runs = {
        name: [looks for _, looks in looks_of(work, name)] for name in CASES
    }
    healthy = [looks for n in runs if "healthy" in n for looks in runs[n]]
    kinds = [n for n in runs if not n.startswith("healthy")]
    for measure, axis in axes.items():
        for number, looks in enumerate(healthy):
            label = (
                f"healthy ({len(healthy)} trainings)" if not number else None
            )
            line(axis, looks, measure, color="0.6", linewidth=1, label=label)
        for name in (n for n in kinds if n not in RECOVERING):
            for looks in runs[name][:1]:
                line(axis, looks, measure, label=name)
        axis.set_title(MEASURES[measure], fontsize=10)
        axis.set_xlabel("step", fontsize=8)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes["g_loss"].set_ylim(0, 12)
    axes["training_distance"].set_ylim(0, 3)
    handles, labels = axes["d_loss"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.suptitle("Healthy and failing trainings, by step (phantom)")
    figure.savefig(path, dpi=100, metadata={"Software": None})


def line(axis, looks, measure, **style):
    steps = column(looks, "epoch") * EVERY
    axis.plot(steps, column(looks, measure), **style)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="+", choices=CASES, default=())
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    if options.figure is None:
        start_tensorflow()
        run_all(options.data_dir, options.work, options.only)
    else:
        draw(options.work, options.figure)
    print_tables(options.work)


if __name__ == "__main__":
    main()
