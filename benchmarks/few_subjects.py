"""What helps a training on few subjects, measured on phantoms.

Every arm trains on the same 24 (or 70) phantom subjects of AD, once for each
seed, and is judged on the way by phantom subjects nobody trained on. What
arms are is in `few_subjects_arms.py`, how they are judged in
`few_subjects_judge.py`, and `flow_matching.py` has the one that is no GAN;
`few_subjects_table.py` makes the table.

    python benchmarks/few_subjects.py WORK --arms robust spectral --seeds 0 1 2
    python benchmarks/few_subjects.py WORK --size 128 --arms robust --steps 3000
    python benchmarks/few_subjects.py WORK --table
    python benchmarks/few_subjects.py WORK --table --minutes 2

WORK keeps cohorts, encoders and weights. Results are one JSON line for each
moment that was judged, in `benchmarks/few_subjects.jsonl`; what stands there
is not made again. Two trainings run at once, each on one thread, and seconds
are of processor time, without the judging.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

from few_subjects_results import is_done, read, write
from few_subjects_table import table

COHORTS = {
    "few": (0, "NC=34,MCI=34,AD=34"),
    "encoder": (3, "NC=40,MCI=40,AD=40"),
    "fresh": (1, "AD=200"),
    "many": (2, "AD=100"),
}
# the training splits of these cohorts
SUBJECTS = {8: "few", 24: "few", 70: "many"}
# shares of a training after which it is judged
MOMENTS = (0.25, 0.5, 0.75, 1.0)


def make_cohorts(work, cohorts=COHORTS):
    """Draws and prepares every cohort that is not there yet."""
    command = [sys.executable, "-m", "pet_dcgan"]
    for name, (seed, subjects) in cohorts.items():
        scans, data = work / name / "scans", work / name / "data"
        if not scans.exists():
            drawn = ["--seed", str(seed), "--subjects", subjects]
            subprocess.run([*command, "phantom", scans, *drawn], check=True)
        for config in ("axial_64", "axial_128"):
            if not (data / "adni" / config).exists():
                options = ["--data-dir", data, "--config", config]
                subprocess.run(
                    [*command, "prepare", scans, *options], check=True
                )


def run(work, task):
    """Trains one arm and judges it; gives one row a moment."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras
    from few_subjects_judge import Judge

    keras.utils.set_random_seed(task["seed"])
    count = task["subjects"]
    judge = Judge(work, SUBJECTS[count], count, task["size"])
    if task["arm"] == "real":
        return [
            task | judge.real_against_real() | {"training": judge.training()}
        ]
    trainer = trainer_of(task, judge)
    seconds, done, rows = 0.0, 0, []
    for moment in MOMENTS:
        until = round(moment * task["steps"])
        before = time.process_time()
        trainer.train(until - done)
        seconds += time.process_time() - before
        done = until
        rows.append(
            task
            | {"step": done, "seconds": round(seconds, 1)}
            | judge.scores(trainer.draw, full=moment == 1.0)
        )
    trainer.save(work / "weights" / name_of(task))
    return rows


def trainer_of(task, judge):
    """What trains an arm."""
    if task["arm"].startswith("flow"):
        from few_subjects_arms import settings_of
        from flow_matching import Flow

        bends = task["arm"].removeprefix("flow").removeprefix(" + ")
        return Flow(task, judge, settings_of(bends or "robust"))
    return Adversaries(task, judge)


class Adversaries:
    """Trains an arm of `few_subjects_arms`, step by step."""

    def __init__(self, task, judge):
        import numpy as np
        import tensorflow as tf
        from few_subjects_arms import Arm, settings_of

        settings = settings_of(task["arm"])
        self.arm = Arm(settings, size=task["size"], seed=task["seed"])
        scaled = np.clip(judge.suvr * (2 / 2.5) - 1, -1, 1)[..., None]
        self.images = tf.constant(scaled, tf.float32)
        self.warm = 0, None
        if settings["warm"]:
            steps = round(settings["warm"] * task["steps"])
            self.warm = steps, tf.constant(all_stages(judge), tf.float32)

    def train(self, count):
        """So many steps more."""
        import tensorflow as tf

        steps, images = self.warm
        early = min(count, max(0, steps - int(self.arm.steps)))
        if early:
            self.arm.steps_on(images, tf.constant(early))
        if count - early:
            self.arm.steps_on(self.images, tf.constant(count - early))

    def draw(self, seeds):
        """Images `[n, size, size]` in SUVR of seeds, by the average."""
        from pet_dcgan.models.sampling import synthetic_slices

        return synthetic_slices(self.arm.average, seeds, suvr_max=2.5)

    def save(self, path):
        """Keeps the generator that images are drawn with."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.arm.average.save(f"{path}.keras")


def all_stages(judge):
    """The training images of all stages, in [-1, 1]."""
    import numpy as np
    from few_subjects_judge import training_slices

    count = len(np.unique(judge.trained))
    parts = [
        training_slices(judge.folder, judge.size, count, stage)[0]
        for stage in ("NC", "MCI", "AD")
    ]
    return np.clip(np.concatenate(parts) * (2 / 2.5) - 1, -1, 1)[..., None]


def name_of(task):
    """A file's name for a training."""
    words = (task[name] for name in ("size", "subjects", "arm", "steps"))
    return "_".join([*map(str, words), str(task["seed"])]).replace(" ", "_")


def measure(options):
    """Makes what is not there, two trainings at once."""
    rows = read()
    shared = {"size": options.size, "subjects": options.subjects}
    shared["steps"] = options.steps
    tasks = [
        shared | {"arm": arm, "seed": seed}
        for seed in options.seeds
        for arm in options.arms
    ]
    tasks = [task for task in tasks if not is_done(task, rows)]
    context = multiprocessing.get_context("spawn")
    # a process for each, so that all begin alike
    with concurrent.futures.ProcessPoolExecutor(
        options.workers, mp_context=context, max_tasks_per_child=1
    ) as pool:
        waiting = {pool.submit(run, options.work, t): t for t in tasks}
        for each in concurrent.futures.as_completed(waiting):
            write(each.result())
            print(name_of(waiting[each]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument("--subjects", type=int, default=24, choices=SUBJECTS)
    parser.add_argument("--arms", nargs="+", default=["robust"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--minutes", type=float, help="of processor time")
    options = parser.parse_args()
    if options.table:
        print(
            table(
                read(),
                size=options.size,
                subjects=options.subjects,
                steps=options.steps,
                minutes=options.minutes,
            )
        )
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    make_cohorts(options.work)
    measure(options)


if __name__ == "__main__":
    main()
