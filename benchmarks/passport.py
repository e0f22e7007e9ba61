"""What the search for copies finds in planted copies and in new subjects.

    pet-dcgan phantom A --seed 1 --subjects AD=200
    pet-dcgan phantom B --seed 2 --subjects AD=100
    pet-dcgan prepare A --data-dir DATA_A --config axial_64
    pet-dcgan prepare B --data-dir DATA_B --config axial_64
    OMP_NUM_THREADS=1 python benchmarks/passport.py DATA_A DATA_B

The AD subjects of both cohorts are one pool. Each draw splits it anew into
training subjects, held-out ones and new ones; slices of new subjects stand in
for the images of an honest generator. `--part` chooses a table:

- planted: copies, changed in several ways, among 1,000 honest images: how many
  of them are found, and in how many samples the verdict says so;
- alarms: what is found in honest samples, with 3 to 70 training subjects;
- ranks: how often C_T calls new subjects nearer, a slice or a subject being
  one observation;
- cost: CPU time and memory of a search of 10,000 images.

Draws of one pool are not independent, and phantom subjects are no patients:
thresholds that hold here have to be checked again on real scans.
"""

import argparse
import time
import tracemalloc
from typing import NamedTuple

import numpy as np
from features import load
from scipy import ndimage

from pet_dcgan.cli.console import start_tensorflow

IMAGES, RATES, TRAIN, HELD_OUT = 1000, (0.001, 0.003, 0.01, 0.05), 16, 12
TRAINING_COUNTS = 3, 5, 8, 16, 35, 70
SEARCHED = 10_000
CHANGES = {
    "as they are": lambda x, rng: x,
    "shifted by up to 3 pixels": lambda x, rng: _shifted(x, rng),
    "turned by up to 3 degrees": lambda x, rng: _turned(x, rng, 3),
    "turned by up to 10 degrees": lambda x, rng: _turned(x, rng, 10),
    "noise of 0.1 SUVR": lambda x, rng: _noisy(x, rng, 0.1),
    "noise of 0.2 SUVR": lambda x, rng: _noisy(x, rng, 0.2),
    "blurred by 3 mm (sigma)": lambda x, rng: _blurred(x, 2),
    "blurred by 6 mm (sigma)": lambda x, rng: _blurred(x, 4),
    "3 % dimmer": lambda x, rng: x * 0.97,
    "10 % dimmer": lambda x, rng: x * 0.9,
    "mirrored": lambda x, rng: x[:, :, ::-1],
    "shifted, noise of 0.1 SUVR": lambda x, rng: _noisy(
        _shifted(x, rng), rng, 0.1
    ),
    "mirrored, shifted, noise of 0.1 SUVR": lambda x, rng: _noisy(
        _shifted(x[:, :, ::-1], rng), rng, 0.1
    ),
    "means of two subjects": None,
}


class Pool(NamedTuple):
    """Slices as they are and `centred`, with subjects and levels."""

    images: np.ndarray
    small: np.ndarray
    subjects: np.ndarray
    levels: np.ndarray


def pool_of(folders, config):
    """All AD slices of some cohorts, whose subjects may share names."""
    from pet_dcgan.metrics.centring import centred

    every = ["train", "validation", "test"]
    parts = [load(folder, config, "AD", every) for folder in folders]
    images = np.concatenate([part[0] for part in parts])
    subjects = [np.char.add(f"{n} ", part[1]) for n, part in enumerate(parts)]
    levels = np.concatenate([part[2] for part in parts])
    return Pool(images, centred(images), np.concatenate(subjects), levels)


def split(pool, rng, *counts):
    """Rows of so many subjects each, and last those of all others."""
    names = rng.permutation(np.unique(pool.subjects))
    parts = np.split(names, np.cumsum(counts))
    return [np.flatnonzero(np.isin(pool.subjects, part)) for part in parts]


def _shifted(images, rng):
    steps = rng.integers(-3, 4, [len(images), 2])
    return np.stack(
        [np.roll(i, s, (0, 1)) for i, s in zip(images, steps, strict=True)]
    )


def _turned(images, rng, most):
    angles = rng.uniform(-most, most, len(images))
    return np.stack(
        [
            ndimage.rotate(image, angle, reshape=False, order=1)
            for image, angle in zip(images, angles, strict=True)
        ]
    )


def _noisy(images, rng, level):
    return images + rng.normal(0, level, images.shape) * (images > 0.05)


def _blurred(images, pixels_of_128):
    sigma = pixels_of_128 * images.shape[1] / 128
    return ndimage.gaussian_filter(images, (0, sigma, sigma))


def copies(pool, train, count, kind, rng):
    """`centred` images that a copying generator could make."""
    from pet_dcgan.metrics.centring import centred

    rows = rng.choice(train, count, replace=count > len(train))
    images = pool.images[rows]
    if CHANGES[kind] is not None:
        return centred(CHANGES[kind](images, rng))
    partners = [_partner(pool, train, each, rng) for each in rows]
    return centred((images + pool.images[partners]) / 2)


def _partner(pool, train, own, rng):
    """A slice at the same level of another subject."""
    others = train[pool.subjects[train] != pool.subjects[own]]
    apart = np.abs(pool.levels[others] - pool.levels[own])
    return rng.choice(others[apart == apart.min()])


def check(pool, train, held_out, images):
    from pet_dcgan.metrics.memorization import check_memorization

    return check_memorization(
        pool.small[train],
        pool.small[held_out],
        images,
        train_subjects=pool.subjects[train],
        held_out_subjects=pool.subjects[held_out],
    )


def show_planted(pool, draws):
    """Copies of each kind at each rate among honest images."""
    from pet_dcgan.metrics.copy_search import CERTAIN_RATIO, search

    rates = [f"said at {rate:.1%}" for rate in RATES]
    heading("copies", "suspects", "certain", "mixtures", *rates)
    for kind in CHANGES:
        found, planted, said = np.zeros(3), 0, []
        for rate in RATES:
            count = round(rate * IMAGES)
            said.append(0)
            for draw in range(draws):
                rng = np.random.default_rng(draw)
                train, held_out, new = split(pool, rng, TRAIN, HELD_OUT)
                made = copies(pool, train, count, kind, rng)
                honest = pool.small[rng.choice(new, IMAGES - count, False)]
                result = check(
                    pool, train, held_out, np.concatenate([made, honest])
                )
                alone = search(made, pool.small[train], pool.subjects[train])
                found += [
                    alone.suspects.sum(),
                    np.sum(alone.ratios < CERTAIN_RATIO),
                    alone.mixed.sum(),
                ]
                planted += count
                said[-1] += result.verdict in ("copies", "suspects")
        shares = (f"{share:.0%}" for share in found / planted)
        row(kind, *shares, *(f"{s} of {draws}" for s in said))


def show_alarms(pool, draws):
    """Honest samples, by the number of training subjects."""
    heading(
        "training subjects",
        "samples",
        "with a suspect",
        "with a certain copy",
        "suspects of all images",
        "least ratio",
        "said to be nearer",
    )
    for count in TRAINING_COUNTS:
        sums, lowest = np.zeros(4, int), 1.0
        for draw in range(draws):
            rng = np.random.default_rng([count, draw])
            train, held_out, new = split(pool, rng, count, HELD_OUT)
            images = pool.small[rng.choice(new, IMAGES, False)]
            result = check(pool, train, held_out, images)
            suspects = len(result.suspects)
            sums += [
                suspects > 0,
                result.certain > 0,
                suspects,
                result.verdict == "nearer",
            ]
            lowest = min(lowest, result.ratios.min())
        samples, certain, images, nearer = sums
        share = f"{images} of {draws * IMAGES:,}"
        row(count, draws, samples, certain, share, f"{lowest:.2f}", nearer)


def show_ranks(pool, draws):
    """How often p is under 0.01 for new subjects, by held-out subjects."""
    from pet_dcgan.metrics.memorization import copy_test

    heading("held-out subjects", "by slices", "by subjects")
    for count in (4, 8, 16):
        alarms = np.zeros(2)
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            train, held_out, new, _ = split(pool, rng, TRAIN, count, 40)
            for index, owners in enumerate((None, pool.subjects[held_out])):
                test = copy_test(
                    pool.small[train],
                    pool.small[held_out],
                    pool.small[new],
                    held_out_subjects=owners,
                )
                alarms[index] += test.p_value < 0.01
        row(count, *(f"{share:.1%}" for share in alarms / draws))


def show_cost(pool, _):
    """Time and memory of what `evaluate` does with the images it searches."""
    from pet_dcgan.metrics.membership import membership_inference

    heading("10,000 images, 60 training subjects", "CPU seconds", "MB at most")
    rng = np.random.default_rng(0)
    train, held_out, new = split(pool, rng, 60, HELD_OUT)
    images = pool.small[rng.choice(new, SEARCHED)]

    def attack():
        membership_inference(
            pool.small[train],
            pool.small[held_out],
            images,
            train_subjects=pool.subjects[train],
            held_out_subjects=pool.subjects[held_out],
        )

    for name, run in (
        ("copies", lambda: check(pool, train, held_out, images)),
        ("membership", attack),
    ):
        start = time.process_time()
        run()
        seconds = time.process_time() - start
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        row(name, f"{seconds:.1f}", f"{peak:.0f}")


def heading(*names):
    print(f"| {' | '.join(names)} |")
    print("| --- " * len(names) + "|", flush=True)


def row(*cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


# the tables by name, with the draws of a run
PARTS = {
    "planted": (show_planted, 20),
    "alarms": (show_alarms, 80),
    "ranks": (show_ranks, 200),
    "cost": (show_cost, 1),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--config", default="axial_64")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true", help="two draws")
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    pool = pool_of(options.folders, options.config)
    count = len(np.unique(pool.subjects))
    print(f"{len(pool.images)} slices of {count} subjects\n")
    for name in options.part or PARTS:
        show, draws = PARTS[name]
        show(pool, min(2, draws) if options.quick else draws)
        print()


if __name__ == "__main__":
    main()
