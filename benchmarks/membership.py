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
SHARES = 0.001, 0.01, 0.1, 1
RULES = "mean", "least", "mean, relative", "least, relative"


def to_other_subjects(pool):
    """Distance of each slice to the nearest one of another subject."""
    from pet_dcgan.metrics.neighbors import nearest_distances

    owners = {"subjects": pool.subjects, "pool_subjects": pool.subjects}
    return nearest_distances(pool.small, pool.small, **owners)


def generators(pool, train, new, rng):
    """`centred` images by what a generator does."""
    kind = "shifted, noise of 0.1 SUVR"
    honest = pool.small[rng.choice(new, SEARCHED)]
    found = {"honest": honest}
    for share in SHARES:
        count = round(share * SEARCHED)
        made = copies(pool, train, count, kind, rng)
        found[f"{share:.1%} replays"] = np.concatenate([made, honest[count:]])
    half = (pool.small[rng.choice(train, SEARCHED)] + honest) / 2
    return found | {"means of a training and a new slice": half}


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


def attacks(pool, real, count, draw):
    """For each generator the numbers of a line."""
    from pet_dcgan.metrics.membership import attack

    rng = np.random.default_rng([count, draw])
    train, held_out, new = split(pool, rng, count, HELD_OUT)
    found = {}
    for name, images in generators(pool, train, new, rng).items():
        members, others = (
            distances_of(pool, rows, images, real) for rows in (train, held_out)
        )
        by_rule = [
            attack(members[rule], others[rule], images=len(images))
            for rule in RULES
        ]
        found[name] = [
            *(each.auc for each in by_rule),
            *(each.found for each in by_rule),
            by_rule[0].beyond_chance,
        ]
    return found


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
        "beyond chance, mean",
    )
    for count in COUNTS:
        draws = [attacks(pool, real, count, d) for d in range(options.draws)]
        for name in draws[0]:
            *shares, beyond = np.mean([draw[name] for draw in draws], axis=0)
            areas, found = np.split(np.array(shares), 2)
            row(
                f"{count}, {name}",
                *(f"{area:.2f}" for area in areas),
                *(f"{share:.0%}" for share in found),
                f"{round(beyond * len(draws))} of {len(draws)}",
            )


if __name__ == "__main__":
    main()
