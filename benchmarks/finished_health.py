"""What the health measures read in finished generators, and in new people.

    python benchmarks/few_subjects.py WORK --arms robust "bend 2.5"
    python benchmarks/finished_health.py WORK --arms robust "bend 2.5"

WORK is the folder of `few_subjects.py`, which keeps the generator of each
training there. 64 images of each are measured as `train` measures them, beside
20 draws of 64 slices of 30 people whom nobody trained on, as least to most:
what a perfect generator would read.
"""

import argparse
import dataclasses
from pathlib import Path

import keras
import numpy as np
from few_subjects import SUBJECTS
from few_subjects_judge import slices_of, training_slices

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.training.vitals import RealImages, Vitals, pooled

MEASURES = [field.name for field in dataclasses.fields(Vitals)]
IMAGES, DRAWS = 64, 20


def real_images(work, size, count):
    """What is compared with, as a training has it."""
    folder = work / SUBJECTS[count]
    suvr, owners, _ = training_slices(folder, size, count)
    held_out = slices_of(folder, size, ["validation"])[0]
    return RealImages(pooled(suvr), owners, pooled(held_out))


def of_new_people(real, work, size):
    """Measures of real slices `[draws, measures]`."""
    rows = pooled(slices_of(work / "fresh", size, ["validation"])[0])
    rng = np.random.default_rng(0)
    draws = [rng.choice(len(rows), IMAGES, False) for _ in range(DRAWS)]
    return np.array([measures(real, rows[draw]) for draw in draws])


def of_generator(real, path):
    """Measures of the images of the first seeds."""
    from pet_dcgan.models.sampling import synthetic_slices

    generator = keras.models.load_model(path, compile=False)
    made = synthetic_slices(generator, np.arange(IMAGES), suvr_max=2.5)
    return measures(real, pooled(made))


def measures(real, rows):
    return list(vars(real.vitals(rows)).values())


def generators_of(work, start, arms):
    """The kept generators of some arms, by the names that they are given."""
    for arm in arms:
        pattern = f"{start}{arm.replace(' ', '_')}_[0-9]*_[0-9].keras"
        yield from sorted((work / "weights").glob(pattern))


def show(work, size, count, arms):
    """The rows of the trainings of one size and count, if there are any."""
    start = f"{size}_{count}_"
    paths = list(generators_of(work, start, arms))
    if not paths:
        return
    real = real_images(work, size, count)
    found = of_new_people(real, work, size)
    ends = zip(found.min(0), found.max(0), strict=True)
    row(size, count, "new people", [f"{a:.2f} to {b:.2f}" for a, b in ends])
    for path in paths:
        name = path.stem.removeprefix(start).replace("_", " ")
        cells = [f"{value:.2f}" for value in of_generator(real, path)]
        row(size, count, name, cells)


def row(size, count, name, cells):
    print(f"| {size}, {count} | {name} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--arms", nargs="+", default=["robust", "bend 2.5"])
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    print("| size, subjects | images | " + " | ".join(MEASURES) + " |")
    print("|---" * (len(MEASURES) + 2) + "|")
    for size in (64, 128):
        for count in SUBJECTS:
            show(options.work, size, count, options.arms)


if __name__ == "__main__":
    main()
