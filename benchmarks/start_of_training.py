"""Which settings leave the small generator stuck in noise at the start.

Trains the `demo` preset, with what it adds to a plain DCGAN switched off, for a
few steps on every stage of a prepared set, for several seeds, and counts the
runs whose discriminator has won: a mean loss below 0.15 over the last 50 steps.

    python benchmarks/start_of_training.py DATA_DIR --seeds 2 --steps 150

The set is one prepared with `--config axial_128`; about 25 s a run on two
cores.
"""

import argparse
import itertools
import json
import statistics
from pathlib import Path

from pet_dcgan.config import STAGES
from pet_dcgan.data.batches import training_batches
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.models import networks
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.presets import PLAIN
from pet_dcgan.training.train import resolve_config

EPSILONS = (1e-5, 1e-3)
G_LEARNING_RATES = (1e-3, 2e-3)
STUCK = 0.15


def last_loss(data_dir, stage, seed, epsilon, g_learning_rate, steps):
    """Mean discriminator loss over the last 50 of some first steps."""
    networks.NORM_EPSILON = epsilon
    config = resolve_config(
        "demo",
        data_dir=data_dir,
        dataset="axial_128",
        stage=stage,
        overrides=PLAIN | {"g_learning_rate": g_learning_rate},
        seed=seed,
    )
    slices = load_slices(
        data_dir, "axial_128", split="train", stage=stage, plane="axial"
    )
    model = build_dcgan(config)
    batches = training_batches(slices, config)
    history = model.fit(
        batches, steps_per_epoch=50, epochs=steps // 50, verbose=0
    )
    return history.history["d_loss"][-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    rows = []
    for epsilon, rate in itertools.product(EPSILONS, G_LEARNING_RATES):
        losses = [
            last_loss(
                options.data_dir, stage, seed, epsilon, rate, options.steps
            )
            for stage in STAGES
            for seed in range(options.seeds)
        ]
        rows.append(
            {
                "epsilon": epsilon,
                "g_learning_rate": rate,
                "runs": len(losses),
                "stuck": sum(loss < STUCK for loss in losses),
                "median_d_loss": round(statistics.median(losses), 4),
            }
        )
        print(json.dumps(rows[-1]), flush=True)


if __name__ == "__main__":
    main()
