"""Whether one person under several names is noticed, and mixtures are.

    (two cohorts DATA_A and DATA_B, prepared as for benchmarks/passport.py)
    OMP_NUM_THREADS=1 python benchmarks/repeated_subjects.py DATA_A DATA_B

The first table has training sets into which one subject is put once or twice
more, changed in several ways: how often the names are merged and nothing else
is. Its first row has honest training sets, in which nothing is to be merged.
The second one has images and the mixture residual of each: slices of new
subjects, of training subjects, and means of two at the same or at any level.
"""

import argparse

import numpy as np
from passport import CHANGES, copies, heading, pool_of, row, split

from pet_dcgan.cli.console import start_tensorflow

TRAINING_COUNTS, DRAWS, IMAGES = (3, 5, 12, 40), 20, 400


def show_names(pool):
    """How often names are merged, by change and training subjects."""
    heading("added", *(f"{n} subjects" for n in TRAINING_COUNTS))
    for kind in (None, *CHANGES):
        if kind is None or CHANGES[kind] is not None:
            cells = (merged(pool, kind, n) for n in TRAINING_COUNTS)
            row(kind or "nobody", *cells)


def merged(pool, kind, count):
    """Draws in which one person has one number, with 2 and with 3 names."""
    from pet_dcgan.metrics.centring import centred
    from pet_dcgan.metrics.repeated_subjects import merged_subjects

    right = np.zeros(2, int)
    for draw in range(DRAWS):
        rng = np.random.default_rng([count, draw])
        train, _ = split(pool, rng, count)
        rows, names = pool.small[train], pool.subjects[train].astype("U99")
        own = train[names == names[0]]
        for index, added in enumerate(("x", "y")):
            if kind is not None:
                again = centred(CHANGES[kind](pool.images[own], rng))
                rows = np.concatenate([rows, again])
                names = np.append(names, np.full(len(own), added))
            found = merged_subjects(rows, names)
            same = np.unique(found[np.isin(names, [names[0], "x", "y"])])
            right[index] += found.max() + 1 == count and len(same) == 1
    if kind is None:
        return f"merged in {DRAWS - right[0]} of {DRAWS}"
    return f"{right[0]}, {right[1]} of {DRAWS}"


def show_mixtures(pool):
    """Mixture residuals of honest images, of copies and of mixtures."""
    heading("images, training subjects", "below 0.5", "least", "1 %", "median")
    for count in TRAINING_COUNTS:
        for name, residuals in of_mixtures(pool, count).items():
            row(
                f"{name}, {count}",
                f"{np.mean(residuals < 0.5):.1%}",
                *(f"{np.quantile(residuals, q):.2f}" for q in (0, 0.01, 0.5)),
            )


def of_mixtures(pool, count):
    """Residuals by kind of image."""
    from pet_dcgan.metrics.centring import centred
    from pet_dcgan.metrics.copy_search import search

    found = {}
    for draw in range(DRAWS):
        rng = np.random.default_rng([count, draw])
        train, new = split(pool, rng, count)
        first, second = rng.choice(train, [2, IMAGES // DRAWS])
        images = pool.images
        kinds = {
            "new subjects": pool.small[rng.choice(new, IMAGES)],
            "means at one level": copies(
                pool, train, IMAGES // DRAWS, "means of two subjects", rng
            ),
            "means at any level": centred((images[first] + images[second]) / 2),
            "70 % and 30 %": centred(
                0.7 * images[first] + 0.3 * images[second]
            ),
        }
        for name, each in kinds.items():
            residuals = search(
                each, pool.small[train], pool.subjects[train]
            ).residuals
            found.setdefault(name, []).append(residuals)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--config", default="axial_64")
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    pool = pool_of(options.folders, options.config)
    show_names(pool)
    print()
    show_mixtures(pool)


if __name__ == "__main__":
    main()
