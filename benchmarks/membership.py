"""What an attack on membership by distances finds, measured.

    OMP_NUM_THREADS=1 python benchmarks/membership.py DATA_A DATA_B

The data are those of `passport.py`. "Generators" replay training slices,
shifted by up to 3 pixels and with noise of 0.1 SUVR, in a part of their 10,000
images; the others are slices of new subjects, as all those of an honest one
are. The attack is given 16 or 60 training subjects and 100 held-out ones. Its
AUC is shown by the rule that makes one score of a subject's slices: the mean or
the least of their distances to the nearest image, as they are or relative to
the distance to the nearest slice of another subject.
"""

import argparse

import numpy as np
from passport import SEARCHED, copies, heading, pool_of, row, split

from pet_dcgan.cli.console import start_tensorflow

COUNTS, HELD_OUT = (16, 60), 100
# share of images that are replayed; None for means of a training and a new one
GENERATORS = {
    "honest": 0,
    "0.1 % replays": 0.001,
    "1 % replays": 0.01,
    "10 % replays": 0.1,
    "all replays": 1,
    "means of a training and a new slice": None,
}
RULES = "mean", "least", "mean, relative", "least, relative"


def to_other_subjects(pool):
    """Distance of each slice to the nearest one of another subject."""
    from pet_dcgan.metrics.neighbors import nearest_distances

    owners = {"subjects": pool.subjects, "pool_subjects": pool.subjects}
    return nearest_distances(pool.small, pool.small, **owners)


def generated(pool, train, new, share, rng):
    """`centred` images of a generator that replays a share of its images."""
    kind = "shifted, noise of 0.1 SUVR"
    if share is None:
        honest = pool.small[rng.choice(new, SEARCHED)]
        return (pool.small[rng.choice(train, SEARCHED)] + honest) / 2
    honest = pool.small[new]  # once each: drawn again they change no distance
    if not share:
        return honest
    made = copies(pool, train, round(share * SEARCHED), kind, rng)
    return made if share == 1 else np.concatenate([made, honest])


def distances_of(pool, rows, synthetic, real):
    """The distance of each subject by each rule."""
    from pet_dcgan.metrics.neighbors import nearest_distances

    distances = nearest_distances(pool.small[rows], synthetic)
    codes = np.unique(pool.subjects[rows], return_inverse=True)[1]
    counts = np.bincount(codes)
    found = {}
    for name, each in (("", distances), (", relative", distances / real[rows])):
        least = np.full(len(counts), np.inf)
        np.minimum.at(least, codes, each)
        found |= {
            f"mean{name}": np.bincount(codes, each) / counts,
            f"least{name}": least,
        }
    return found


def attacks(pool, real, count, share, draw):
    """The numbers of one draw: AUC and share found by rule, and a claim."""
    from pet_dcgan.metrics.membership import attack

    rng = np.random.default_rng([count, draw])
    train, held_out, new = split(pool, rng, count, HELD_OUT)
    images = generated(pool, train, new, share, rng)
    members, others = (
        distances_of(pool, rows, images, real) for rows in (train, held_out)
    )
    found = [
        attack(members[rule], others[rule], images=len(images))
        for rule in RULES
    ]
    return [
        *(each.auc for each in found),
        *(each.found for each in found),
        found[RULES.index("least")].beyond_chance,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--config", default="axial_64")
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    pool = pool_of(options.folders, options.config)
    real = to_other_subjects(pool)
    heading(
        "training subjects, images",
        *(f"AUC, {rule}" for rule in RULES),
        *(f"found, {rule}" for rule in RULES),
        "beyond chance, least",
    )
    for count in COUNTS:
        for name, share in GENERATORS.items():
            # how often an honest one is accused takes more draws
            draws = options.draws * (10 if name == "honest" else 1)
            found = np.mean(
                [attacks(pool, real, count, share, d) for d in range(draws)],
                axis=0,
            )
            row(
                f"{count}, {name}",
                *(f"{area:.2f}" for area in found[: len(RULES)]),
                *(f"{each:.0%}" for each in found[len(RULES) : -1]),
                f"{round(found[-1] * draws)} of {draws}",
            )


if __name__ == "__main__":
    main()
