"""One conditional generator beside one for each stage, on phantoms.

Both see the same phantom subjects, 24 of each stage, and take the same steps
in total: the conditional generator T, each of the three others T/3. Both keep
two averages of their weights. Everything is judged by phantom subjects nobody
trained on, see `conditional_judge.py`, and by the truth: the same invented
people with and without the disease.

    python benchmarks/conditional.py WORK --arms conditional separate
    python benchmarks/conditional.py WORK --judge
    python benchmarks/conditional.py WORK --table

WORK holds `few`, a prepared cohort as of `few_subjects.py`; weights lie in
`WORK/conditional`, results in `benchmarks/conditional.jsonl`. What is there is
not made again. Seconds are of processor time on one thread.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import time
from pathlib import Path

STAGES = ("NC", "MCI", "AD")
AVERAGES = (0.995, 0.999)
# what differs from the preset `robust` in each arm
ARMS = {
    "conditional": {},
    "at once": {"transition": False},
    "separate": {},
}


@dataclasses.dataclass(frozen=True)
class Task:
    """One training: of an arm, a stage or all of them, and a seed."""

    arm: str
    stage: str
    seed: int
    size: int
    steps: int

    @property
    def name(self):
        """Of its folder."""
        words = (self.arm, self.stage, self.size, self.steps, self.seed)
        return "_".join(map(str, words)).replace(" ", "_")


def tasks_of(options):
    """Every training of the options; steps are those of all stages."""
    found = []
    for seed in options.seeds:
        for arm in options.arms:
            stages = STAGES if arm == "separate" else ("ALL",)
            steps = options.steps // len(stages)
            found += [
                Task(arm, stage, seed, options.size, steps) for stage in stages
            ]
    return found


def train(work, task):
    """Trains, and keeps both averages of the generator."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    from pet_dcgan.models.networks import float32_copy
    from pet_dcgan.models.optimization import ema_decay_at, update_ema

    keras.utils.set_random_seed(task.seed)
    model, batch = model_of(work, task)
    slow = float32_copy(model.generator)

    @tf.function
    def run(first, count):
        for step in tf.range(first, first + count):
            model.train_step(batch(step))
            decay = ema_decay_at(step, AVERAGES[1])
            update_ema(slow, model.generator, decay)

    started = time.process_time()
    for first in range(0, task.steps, 1000):
        run(tf.constant(first), tf.constant(min(1000, task.steps - first)))
    seconds = time.process_time() - started
    folder = work / "conditional" / task.name
    folder.mkdir(parents=True, exist_ok=True)
    for decay, network in zip(AVERAGES, (model.average, slow), strict=True):
        network.save(folder / f"{decay}.keras")
    (folder / "done.json").write_text(json.dumps({"seconds": seconds}))
    return task.name


def model_of(work, task):
    """The model of a training, and its batches by step."""
    import tensorflow as tf

    from pet_dcgan.conditions import Conditions
    from pet_dcgan.models.augmentation import Augmenter
    from pet_dcgan.models.bending import REACH_MM, Bender
    from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
    from pet_dcgan.models.dcgan import DCGAN
    from pet_dcgan.models.networks import build_discriminator, build_generator
    from pet_dcgan.models.optimization import paper_adam
    from pet_dcgan.presets import PRESETS

    preset = PRESETS["robust"]
    spacing = 192 / task.size
    shape = {
        "size": task.size,
        "channels": 1,
        "width": preset["width"],
        "kernel_size": preset["kernel_size"],
        "seed": task.seed,
    }
    options = {
        "seed": task.seed,
        "ema_decay": AVERAGES[0],
        "augmenter": Augmenter(
            preset["augment"].split(","),
            0.0,
            target=preset["augment_target"],
            seed=task.seed,
        ),
        "bender": Bender(
            preset["bend_mm"] / spacing, REACH_MM / spacing, seed=task.seed
        ),
    }
    if task.stage == "ALL":
        conditions = Conditions(
            names=("stage", "position"), bands_mm={"axial": (0.0, 36.0)}
        )
        shape["conditions"] = conditions
        later = ARMS[task.arm].get("transition", True)
        model = ConditionalDCGAN(
            build_generator(**shape),
            build_discriminator(**shape),
            transition=(task.steps // 4, task.steps // 2) if later else (0, 0),
            jitter_mm=spacing / 2,
            **options,
        )
    else:
        model = DCGAN(
            build_generator(**shape), build_discriminator(**shape), **options
        )
    model.compile(
        paper_adam(preset["g_learning_rate"], beta_1=0.5),
        paper_adam(preset["d_learning_rate"], beta_1=0.5),
        metrics=[],
    )
    stages = STAGES if task.stage == "ALL" else (task.stage,)
    parts = [network_slices(work, task.size, stage) for stage in stages]
    images = [tf.constant(images) for images, _ in parts]
    positions = [tf.constant(positions) for _, positions in parts]

    def batch(step):
        """A third of each stage, or all of one, drawn by the step alone."""
        drawn, where, labels = [], [], []
        for index in range(len(stages)):
            # 16 are 5 + 5 + 6, and which stage has 6 changes
            count = (16 + (index + tf.cast(step, tf.int32)) % 3) // 3
            count = 16 if len(stages) == 1 else count
            rows = tf.random.stateless_uniform(
                [count],
                seed=tf.stack([tf.cast(step, tf.int32), task.seed * 8 + index]),
                maxval=len(images[index]),
                dtype=tf.int32,
            )
            drawn.append(tf.gather(images[index], rows))
            where.append(tf.gather(positions[index], rows))
            labels.append(tf.fill([count], index))
        found = tf.ensure_shape(
            tf.concat(drawn, 0), [16, task.size, task.size, 1]
        )
        if len(stages) == 1:
            return found
        return {
            "image": found,
            "position_mm": tf.ensure_shape(tf.concat(where, 0), [16]),
            "stage": tf.ensure_shape(tf.concat(labels, 0), [16]),
        }

    return model, batch


def network_slices(work, size, stage):
    """Training slices in [-1, 1] of one stage, and their positions."""
    import numpy as np

    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import PNG_MAX

    found = load_slices(
        work / "few" / "data",
        f"axial_{size}",
        split="train",
        stage=stage,
        plane="axial",
    )
    images = found.images.astype(np.float32) * (2 / PNG_MAX) - 1
    return images[..., None], found.positions_mm


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument("--arms", nargs="+", default=["conditional"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    if options.judge or options.table:
        import conditional_judge

        return conditional_judge.run(options, tasks_of(options))
    done = options.work / "conditional"
    waiting = [
        task
        for task in tasks_of(options)
        if not (done / task.name / "done.json").exists()
    ]
    with concurrent.futures.ProcessPoolExecutor(
        options.workers,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    ) as pool:
        jobs = [pool.submit(train, options.work, task) for task in waiting]
        for job in concurrent.futures.as_completed(jobs):
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()
