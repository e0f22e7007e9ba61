"""What healthy and failing trainings look like, in numbers and a figure.

Trains small networks on a prepared phantom set with settings that work and
with settings that do not, each as `pet-dcgan train` would, with a look at its
health every 50 steps. `docs/training-curves.md` rests on what it prints, and
the thresholds of `pet_dcgan/health.py` on both.

    python benchmarks/training_curves.py DATA_DIR WORK
    python benchmarks/training_curves.py DATA_DIR WORK --only collapse
    python benchmarks/training_curves.py DATA_DIR WORK --figure FILE.png

WORK keeps `<run>/health.csv`; a run that stands there is not made again. About
90 s a run on two free cores.
"""

import argparse
import csv
import dataclasses
import time
from pathlib import Path

import numpy as np

from pet_dcgan.console import start_tensorflow

DATASET = "axial_64"
STEPS_A_LOOK = 50
SMALL = {"width": 8}
BAD_RATES = {"g_learning_rate": 1e-4, "d_learning_rate": 1e-3}


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of training.

    Args:
        settings: What differs from the demo preset.
        starts: Stage and seed of each training.
        steps: How long it goes on.
        subjects: How many of the training subjects there are, 0 for all.
        dataset: The prepared set.
    """

    settings: dict
    starts: tuple = (("AD", 0),)
    steps: int = 1000
    subjects: int = 0
    dataset: str = DATASET


FOUR = "translate,cutout,rotate,scale"
STARTS = (("AD", 0), ("AD", 1), ("MCI", 2), ("NC", 3))
CASES = {
    "healthy": Case(SMALL, STARTS, 1500),
    "healthy, average": Case(SMALL | {"ema_decay": 0.995}, STARTS[:2], 1500),
    "healthy, augmented": Case(
        SMALL | {"augment": FOUR, "augment_target": 0.6}, STARTS[:2], 1500
    ),
    "discriminator won": Case(SMALL | BAD_RATES, STARTS[:2], 600),
    "generator won": Case(SMALL | {"d_learning_rate": 1e-5}, STARTS[:2], 600),
    "collapse": Case(
        SMALL | {"g_learning_rate": 5e-3, "beta_1": 0.9}, STARTS[:2], 1000
    ),
    "collapse to few kinds": Case(SMALL | {"latent_dim": 1}, STARTS[:2], 1000),
    "no progress": Case(
        SMALL | {"g_learning_rate": 1e-6, "d_learning_rate": 1e-6},
        STARTS[:2],
        600,
    ),
    "memorisation": Case(
        SMALL | {"batch_size": 8}, STARTS[:2], 2000, subjects=1
    ),
    "paper's rates": Case(
        SMALL | {"g_learning_rate": 1e-4, "d_learning_rate": 1e-4},
        STARTS[:2],
        1500,
    ),
    "healthy, demo": Case({}, STARTS[:1], 1000, dataset="axial_128"),
}
GREY, RED = "0.6", "tab:red"


def slices_of(config, count):
    """The training slices, of the first `count` subjects if not of all."""
    from pet_dcgan.training_set import load_training_slices

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

    from pet_dcgan.build import build_dcgan
    from pet_dcgan.data import steps_per_epoch, training_batches
    from pet_dcgan.health_log import HealthLog
    from pet_dcgan.health_monitor import HealthMonitor
    from pet_dcgan.training_set import load_validation_slices, resolve_config
    from pet_dcgan.vitals import RealImages, pooled_stored

    stage, seed = start
    resolve = {"data_dir": data_dir, "dataset": case.dataset, "stage": stage}
    config = resolve_config(
        "demo", overrides=case.settings, seed=seed, **resolve
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
        steps_per_epoch=STEPS_A_LOOK,
        writer=tf.summary.create_file_writer(str(folder / "tensorboard")),
        checkpoint=folder,
    )
    build_dcgan(config).fit(
        training_batches(slices, config),
        steps_per_epoch=STEPS_A_LOOK,
        epochs=case.steps // STEPS_A_LOOK,
        shuffle=False,
        verbose=0,
        callbacks=[monitor],
    )


def run_all(data_dir, work, only):
    for name, case in CASES.items():
        for stage, seed in case.starts:
            folder = work / f"{name.replace(' ', '_')}_{stage}_{seed}"
            if (folder / "done").exists() or (only and name not in only):
                continue
            started = time.monotonic()
            fit(case, (stage, seed), data_dir, folder)
            (folder / "done").touch()
            seconds = time.monotonic() - started
            print(f"{folder.name}: {seconds:.0f} s", flush=True)


def rows_of(work, name):
    """Looks of each training of a case: dicts, with the step."""
    found = []
    for stage, seed in CASES[name].starts:
        folder = work / f"{name.replace(' ', '_')}_{stage}_{seed}"
        if not (folder / "done").exists():
            continue
        with (folder / "health.csv").open(newline="") as file:
            found.append(list(csv.DictReader(file)))
    return found


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


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
    """Ranges once settled, and what was said when."""
    print("| training | " + " | ".join(MEASURES) + " |")
    print("|---" * (len(MEASURES) + 1) + "|")
    for name in CASES:
        runs = rows_of(work, name)
        if not runs:
            continue
        late = [r for rows in runs for r in rows[settled // STEPS_A_LOOK :]]
        cells = [
            f"{column(late, m).min():.2f} to {column(late, m).max():.2f}"
            for m in MEASURES
        ]
        print(f"| {name} ({len(runs)}) | " + " | ".join(cells) + " |")
    for name in CASES:
        for start, rows in zip(
            CASES[name].starts, rows_of(work, name), strict=False
        ):
            said = [
                f"{row['states']} at step {int(row['epoch']) * STEPS_A_LOOK}"
                for row in rows
                if row["states"]
            ]
            length = int(rows[-1]["epoch"]) * STEPS_A_LOOK
            print(name, *start, f"{length} steps:", ", ".join(said) or "-")


def draw(work, path):
    """Healthy trainings in grey, one failing one of each kind in colour."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6.4), layout="constrained")
    axes = dict(zip(MEASURES, figure.subplots(2, 4).flat, strict=True))
    kinds = [n for n in CASES if not n.startswith("healthy")]
    kinds.remove("paper's rates")
    healthy = [r for n in CASES if "healthy" in n for r in rows_of(work, n)]
    for measure, axis in axes.items():
        for number, rows in enumerate(healthy):
            label = f"healthy ({len(healthy)} trainings)"
            line(axis, rows, measure, GREY, label if not number else None)
        for number, name in enumerate(kinds):
            for rows in rows_of(work, name)[:1]:
                line(axis, rows, measure, f"C{number}", name)
        axis.set_title(MEASURES[measure], fontsize=10)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes["g_loss"].set_ylim(0, 12)
    axes["training_distance"].set_ylim(0, 3)
    for axis in list(axes.values())[4:]:
        axis.set_xlabel("step")
    handles, labels = axes["d_loss"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.suptitle(
        "A look every 50 steps: demo preset, width 8, 64x64 (phantom)"
    )
    figure.savefig(path, dpi=100, metadata={"Software": None})


def line(axis, rows, measure, colour, label):
    steps = column(rows, "epoch") * STEPS_A_LOOK
    front = {"zorder": 1, "linewidth": 1} if colour == GREY else {"zorder": 2}
    axis.plot(steps, column(rows, measure), color=colour, label=label, **front)


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
