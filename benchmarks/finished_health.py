"""What the health measures read in finished generators, and in new people.

    python benchmarks/few_subjects.py WORK --arms robust "bend 2.5"
    python benchmarks/finished_health.py WORK --arms robust "bend 2.5"

WORK is the folder of `few_subjects.py`, which keeps the generator of each
training there. 64 images of each are measured as `train` measures them, and 512
are searched for copies. Beside them stand 20 draws of 64 slices of 30 people
whom nobody trained on, as least to most: what a perfect generator would read.
"""

import argparse
import dataclasses
from pathlib import Path

import keras
import numpy as np
from few_subjects import SUBJECTS
from few_subjects_judge import slices_of, training_slices

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.metrics.centring import centred
from pet_dcgan.metrics.copy_search import search
from pet_dcgan.training.vitals import RealImages, Vitals, pooled

MEASURES = [field.name for field in dataclasses.fields(Vitals)]
IMAGES, DRAWS, SEARCHED = 64, 20, 512


class Measured:
    """Measures of images beside those of a training.

    Args:
        work: Folder of the cohorts.
        size: Of images.
        count: Training subjects.
    """

    def __init__(self, work, size, count):
        folder = work / SUBJECTS[count]
        suvr, self.owners, _ = training_slices(folder, size, count)
        held_out = slices_of(folder, size, ["validation"])[0]
        self.real = RealImages(pooled(suvr), self.owners, pooled(held_out))
        self.train = centred(suvr)

    def vitals(self, images):
        """As `HealthLog` has them, in the order of `MEASURES`."""
        return list(vars(self.real.vitals(pooled(images))).values())

    def suspects(self, images):
        """Share of suspected copies."""
        found = search(centred(images), self.train, self.owners)
        return np.mean(found.suspects)


def of_new_people(measured, work, size):
    """Cells of slices of people whom nobody trained on."""
    images = slices_of(work / "fresh", size, ["validation"])[0]
    rng = np.random.default_rng(0)
    draws = [rng.choice(len(images), IMAGES, False) for _ in range(DRAWS)]
    found = np.array([measured.vitals(images[draw]) for draw in draws])
    ends = zip(found.min(0), found.max(0), strict=True)
    cells = [f"{low:.2f} to {high:.2f}" for low, high in ends]
    return [*cells, f"{measured.suspects(images):.0%}"]


def of_generator(measured, path):
    """Cells of the images of the first seeds."""
    from pet_dcgan.models.sampling import synthetic_slices

    generator = keras.models.load_model(path, compile=False)
    made = synthetic_slices(generator, np.arange(SEARCHED), suvr_max=2.5)
    cells = [f"{value:.2f}" for value in measured.vitals(made[:IMAGES])]
    return [*cells, f"{measured.suspects(made):.0%}"]


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
    measured = Measured(work, size, count)
    row(size, count, "new people", of_new_people(measured, work, size))
    for path in paths:
        name = path.stem.removeprefix(start).replace("_", " ")
        row(size, count, name, of_generator(measured, path))


def row(size, count, name, cells):
    print(f"| {size}, {count} | {name} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--arms", nargs="+", default=["robust", "bend 2.5"])
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    heads = "size, subjects", "images", *MEASURES, "suspects"
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for size in (64, 128):
        for count in SUBJECTS:
            show(options.work, size, count, options.arms)


if __name__ == "__main__":
    main()
