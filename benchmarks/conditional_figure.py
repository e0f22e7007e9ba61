"""The pictures of docs/conditional.md, of generators of `conditional.py`.

    python benchmarks/conditional_figure.py WORK docs/images

Seeds are the first ones, not chosen by eye.
"""

import argparse
from pathlib import Path

import numpy as np

AT_MM = 18.0
SEEDS = np.arange(4)


def draw(network, stage, seeds, at_mm):
    """Images `[n, size, size]` in SUVR."""
    from pet_dcgan.models.conditioned import asked
    from pet_dcgan.models.sampling import synthetic_slices

    wanted = asked(network, stage=stage, position_mm=at_mm)
    return synthetic_slices(wanted, seeds, suvr_max=2.5)


def main():
    import keras

    from pet_dcgan.config import make_config
    from pet_dcgan.evaluation.condition_sheets import (
        Panel,
        save_panels,
        stage_steps,
    )

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument("--steps", type=int, default=12_000)
    options = parser.parse_args()
    name = f"conditional_ALL_{options.size}_{options.steps}_0"
    network = keras.saving.load_model(
        options.work / "conditional" / name / "0.999.keras"
    )
    config = make_config(
        "conditional",
        overrides={"conditions": "stage,position"},
        stage="ALL",
        plane="axial",
        dataset=f"axial_{options.size}",
        data_dir=str(options.work),
        phantom=True,
        size=options.size,
        spacing_mm=192 / options.size,
        suvr_max=2.5,
        reference="brain",
        seed=0,
    )
    steps = stage_steps(("NC", "MCI", "AD"))
    rows = np.stack([draw(network, w, SEEDS, AT_MM) for _, w in steps], axis=1)
    change = rows[:, -1:] - rows[:, :1]
    labels = [f"seed {seed}" for seed in SEEDS]
    suffix = "" if options.size == 64 else f"_{options.size}"
    save_panels(
        options.out / f"conditional_stages{suffix}.png",
        [
            Panel(rows, [words for words, _ in steps]),
            Panel(change, ["AD − NC"], signed=True),
        ],
        labels,
        words=f"one latent from NC to AD at {AT_MM:g} mm",
        config=config,
        plane="axial",
    )
    places = np.linspace(0, 33, 6)
    rows = np.stack([draw(network, "NC", SEEDS, p) for p in places], axis=1)
    save_panels(
        options.out / f"conditional_positions{suffix}.png",
        [Panel(rows, [f"{p:.0f} mm" for p in places])],
        labels,
        words="NC, one latent over positions",
        config=config,
        plane="axial",
    )


if __name__ == "__main__":
    main()
