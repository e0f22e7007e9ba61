"""Three ways to draw a whole brain, in the same processor time.

`3-D`: the package's networks of volumes. `channels`: the 2-D networks with a
channel for each axial slice. `stack`: a conditional 2-D generator that is
asked for a stage and a position, one latent for all positions, whose slices a
discriminator sees with their two neighbours. All three are asked for a stage,
with the transition, the augmentations and the optimisers of the preset
`volume`; they are judged by phantom subjects that nobody trained on.

    pet-dcgan phantom pairs --subjects 100 --seed 1 --counterfactual
    pet-dcgan prepare pairs/with_disease --data-dir data --config volume_64
    python benchmarks/volume_routes.py data --seconds 600 [--arms 3-D]

Seconds are of processor time, on one thread; a line for each quarter of them
is added to benchmarks/volume_routes.jsonl. Steps are those that an arm takes
in that time as its first ones predict.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from pet_dcgan.cli.console import start_tensorflow

STAGES = ("NC", "MCI", "AD")
SUBJECTS, DRAWN, FIRST_SEED = 48, 48, 2**40
# width, kernel and batch of each
ARMS = {"3-D": (8, 4, 8), "channels": (16, 5, 16), "stack": (16, 5, 16)}
# axial slices that the stack learns from and is made of
LOWEST, HIGHEST = 10, 55
TRIED = 12  # first steps
RESULTS = Path(__file__).with_suffix(".jsonl")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    train, judge = people(options.data_dir)
    for name in options.arms:
        arm = Arm(name, train, options.seed)
        for facts in arm.trained(options.seconds):
            row = {"arm": name, "seed": options.seed, "phantom": True}
            row |= facts | judge(arm.drawn)
            print(row, flush=True)
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def people(data_dir):
    """Training volumes of 48 subjects a stage, and what judges by others."""
    import dataclasses

    import volume_judge

    from pet_dcgan import load_slices

    sets = {
        split: load_slices(
            data_dir, "volume_64", split=split, stage="ALL", plane="volume"
        )
        for split in ("train", "validation", "test")
    }
    train = sets["train"]
    chosen = [
        subject
        for stage in STAGES
        for subject in np.unique(train.subjects[train.stages == stage])[
            :SUBJECTS
        ]
    ]
    rows = np.isin(train.subjects, chosen)
    kept = {
        field.name: getattr(train, field.name)[rows]
        for field in dataclasses.fields(train)
        if isinstance(getattr(train, field.name), np.ndarray)
    }
    train = dataclasses.replace(train, **kept)
    return train, volume_judge.Judge(train, sets["validation"], sets["test"])


class Arm:
    """One way to draw a volume, and its training."""

    def __init__(self, name, train, seed):
        from pet_dcgan import conditions_for
        from pet_dcgan.conditions import Conditions

        self.name, self.train, self.seed = name, train, seed
        self.width, self.kernel, self.batch = ARMS[name]
        spacing = train.meta.spacing_mm
        self.conditions = conditions_for(train, ["stage"])
        if name == "stack":
            ends = ((k - 32) * spacing for k in (LOWEST - 1, HIGHEST + 1))
            self.conditions = Conditions(
                names=("stage", "position"), bands_mm={"axial": tuple(ends)}
            )

    def trained(self, seconds):
        """Facts after each quarter of the time; `drawn` has the volumes."""
        self.model = self.started(1000)
        per_step = self.run(TRIED, iter(self.batches(TRIED))) / TRIED
        steps = max(4, round(seconds / per_step))
        self.model, spent = self.started(steps), 0.0
        batches = iter(self.batches(steps))
        for quarter in range(1, 5):
            spent += self.run(steps // 4, batches)
            self.drawn = {stage: self.volumes(stage) for stage in STAGES}
            yield {
                "step": quarter * (steps // 4),
                "steps": steps,
                "batch": self.batch,
                "seconds": round(spent, 1),
                "per_step": round(per_step, 3),
            }

    def run(self, steps, batches):
        """Takes steps; the processor time of all but the first five."""
        step = self.model.make_train_function() or self.model.train_function
        started, first = time.process_time(), min(5, steps // 2)
        for number in range(steps):
            if number == first and steps == TRIED:
                started = time.process_time()
            step(batches)
        counted = steps - first if steps == TRIED else steps
        return (time.process_time() - started) * steps / counted

    def started(self, steps):
        """A new model, to be trained for some steps."""
        import volume_networks

        from pet_dcgan import ConditionalDCGAN
        from pet_dcgan.models.augmentation import Augmenter
        from pet_dcgan.models.bending import REACH_MM, Bender
        from pet_dcgan.models.networks import (
            build_discriminator,
            build_generator,
        )
        from pet_dcgan.models.optimization import paper_adam
        from pet_dcgan.presets import PRESETS

        preset, spacing = PRESETS["volume"], self.train.meta.spacing_mm
        shape = {
            "width": self.width,
            "kernel_size": self.kernel,
            "seed": self.seed,
        }
        if self.name == "3-D":
            shape |= {"size": 64, "channels": 64}
            shape |= {"conditions": self.conditions}
            generator = build_generator(**shape)
            discriminator = build_discriminator(**shape)
        else:
            channels = 64
            if self.name == "channels":
                generator = volume_networks.channel_generator(
                    self.conditions, **shape
                )
            else:
                channels = volume_networks.NEIGHBOURS
                generator = volume_networks.stack_generator(
                    self.conditions, spacing_mm=spacing, **shape
                )
            discriminator = volume_networks.discriminator(
                self.conditions, channels, **shape
            )
        model = ConditionalDCGAN(
            generator,
            discriminator,
            transition=(steps // 4, steps // 2),
            ema_decay=preset["ema_decay"],
            augmenter=Augmenter(
                tuple(preset["augment"].split(",")),
                preset["augment_probability"],
                target=preset["augment_target"],
                seed=self.seed,
            ),
            bender=Bender(
                preset["bend_mm"] / spacing, REACH_MM / spacing, seed=self.seed
            ),
            seed=self.seed,
        )
        model.compile(
            paper_adam(preset["g_learning_rate"]),
            paper_adam(preset["d_learning_rate"]),
            metrics=[],
        )
        return model

    def batches(self, steps):
        """Balanced batches, of volumes or of neighbouring slices."""
        import tensorflow as tf

        from pet_dcgan.data.batches import slice_batches

        if self.name != "stack":
            return slice_batches(
                self.train,
                batch_size=self.batch,
                epochs=1 + steps // (len(self.train.images) // self.batch),
                seed=self.seed,
                conditions=self.conditions,
            )
        images = tf.constant(self.train.images)
        stages = self.train.stages[:, None] == np.array(STAGES)
        groups = [np.flatnonzero(self.train.stages == s) for s in STAGES]
        rng = np.random.default_rng(self.seed)

        def chosen():
            for _ in range(steps):
                rows = [
                    rng.choice(groups[number % 3])
                    for number in range(self.batch)
                ]
                places = rng.integers(LOWEST, HIGHEST + 1, self.batch)
                yield np.array(rows), places, stages[rows].astype(np.float32)

        def read(rows, places, shown):
            beside = places[:, None] + tf.constant([[-1, 0, 1]], tf.int64)
            last = tf.transpose(tf.gather(images, rows), [0, 3, 1, 2])
            slices = tf.gather(last, beside, batch_dims=1)
            unit = tf.cast(slices, tf.float32) * (2 / 65535) - 1
            middle = tf.cast(places, tf.float32)[:, None] - 32
            return {
                "image": tf.transpose(unit, [0, 2, 3, 1]),
                "stage": shown,
                "position_mm": middle * self.train.meta.spacing_mm,
            }

        spec = (
            tf.TensorSpec([self.batch], tf.int64),
            tf.TensorSpec([self.batch], tf.int64),
            tf.TensorSpec([self.batch, 3], tf.float32),
        )
        found = tf.data.Dataset.from_generator(chosen, output_signature=spec)
        return found.map(read).prefetch(2)

    def volumes(self, stage):
        """Volumes of one stage `[n, 64, 64, 64]` in SUVR."""
        import tensorflow as tf

        from pet_dcgan.models.sampling import latents_from_seeds

        network = self.model.sampler_network
        shown = [[float(stage == each) for each in STAGES]]
        found = []
        for first in range(0, DRAWN, 8):
            seeds = FIRST_SEED + tf.range(first, first + 8, dtype=tf.int64)
            asked = {
                "latent": latents_from_seeds(seeds, 100),
                "stage": tf.constant(shown * 8),
            }
            if self.name == "stack":
                found.append(self.stacked(network, asked))
            else:
                found.append(network(asked, training=False).numpy())
        half = self.train.meta.suvr_max / 2
        return (np.concatenate(found) + 1) * half

    def stacked(self, network, asked):
        """Volumes of slices, three at a time."""
        import tensorflow as tf

        made = np.full([8, 64, 64, 64], -1, np.float32)
        for place in range(LOWEST, HIGHEST + 1, 3):
            middle = (place + 1 - 32) * self.train.meta.spacing_mm
            rows = asked | {"position_mm": tf.fill([8, 1], middle)}
            three = network(rows, training=False).numpy()
            count = min(3, HIGHEST + 1 - place)
            made[..., place : place + count] = three[..., :count]
        return made


if __name__ == "__main__":
    main()
