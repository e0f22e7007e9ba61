"""Whether KID by subject is what it says, for subjects of alike slices.

A cohort has 4 to 32 real subjects of 12 to 24 slices each, whose 64 normal
features have variance 1, half or four fifths of it between subjects (ICC 0.5,
0.8); as many synthetic rows are independent, from the same distribution or one
whose every feature is shifted. Of many such cohorts the script prints

- the mean of KID with its standard error, by subject and, for comparison, with
  pairs of slices of one subject left in;
- how often the 95 % interval holds the true KID, and the mean standard error
  over the spread of KID;
- how often the p-value is at most 0.05 and 0.01: false alarms, or power;
- precision, recall, density and coverage by subject and by slice, and the
  Fréchet ratio, of an ideal generator;
- the shift that is read from the mean KID, and from a doubled variance.

    python benchmarks/likeness.py

takes about two minutes of one core, `--quick` a few seconds. With
`--prepared DATA_A DATA_B --config axial_64` (two phantom cohorts, as for
`features.py`) it prints the shift and p-value of known damage instead, by
encoders that are trained on the first.
"""

import argparse
from functools import partial

import numpy as np
from scipy.stats import t as student

from pet_dcgan.metrics.confidence import LEVEL
from pet_dcgan.metrics.distribution import (
    frechet_ratio,
    kid,
    mean_shift,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.significance import kid_p_value

FEATURES = 64
COUNTS = 4, 8, 16, 32
SHIFTS = 0.0, 0.2, 0.4


def cohort(rng, count, icc, shift=0.0, skewed=False, features=FEATURES):
    """Real slices, their subjects, and as many synthetic rows."""
    owners = np.repeat(np.arange(count), rng.integers(12, 25, count))

    def between(rows):
        if skewed:
            return rng.exponential(size=[rows, features]) - 1
        return rng.normal(size=[rows, features])

    def within():
        return (1 - icc) ** 0.5 * rng.normal(size=[len(owners), features])

    real = icc**0.5 * between(count)[owners] + within()
    synthetic = icc**0.5 * between(len(owners)) + within() + shift
    return real, owners, synthetic


def row(count, icc, shift, cohorts, **options):
    """One line of the first table."""
    rng = np.random.default_rng([count, round(10 * icc), round(10 * shift)])
    true = (1 + shift**2) ** 3 - 1
    quantile = student.ppf((1 + LEVEL) / 2, count - 1)
    found = []
    for seed in range(cohorts):
        real, owners, synthetic = cohort(rng, count, icc, shift, **options)
        value, error = kid(real, synthetic, subjects=owners)
        p = kid_p_value(real, synthetic, subjects=owners, seed=seed)
        left_in = kid(real, synthetic).value
        held = abs(value - true) <= quantile * error
        found.append([value, error, p <= 0.05, p <= 0.01, held, left_in])
    value, error, at_5, at_1, held, left_in = np.array(found).T
    return (
        f"| {count} | {icc} | {shift} | {value.mean():.3f} ± "
        f"{value.std() / cohorts**0.5:.3f} | {left_in.mean():.3f} | "
        f"{error.mean() / value.std():.2f} | {held.mean():.1%} | "
        f"{at_5.mean():.1%} | {at_1.mean():.1%} | "
        f"{mean_shift(value.mean()):.2f} |"
    )


def simulate(quick):
    """The first table: KID."""
    print(
        "| subjects | ICC | shift | KID by subject | pairs of a subject left "
        "in | error over spread | interval holds | p <= 0.05 | p <= 0.01 | "
        "shift read |"
    )
    print("|" + " --- |" * 10)
    for icc in (0.5, 0.8):
        for count in COUNTS:
            for shift in SHIFTS:
                cohorts = (1600 if shift == 0 else 400) // (count // 4)
                cohorts = max(20, cohorts // 16) if quick else cohorts
                line = row(count, icc, shift, cohorts)
                print(line, flush=True)
    for count in COUNTS:
        cohorts = 20 if quick else 1600 // (count // 4)
        line = row(count, 0.8, 0.0, cohorts, skewed=True)
        print(f"{line} skewed", flush=True)
    for count in COUNTS[:3]:
        cohorts = 20 if quick else 400
        line = row(count, 0.8, 0.0, cohorts, skewed=True, features=2)
        print(f"{line} skewed, 2 features", flush=True)


def readings():
    """What shift is read from other shifts, and from a doubled variance."""
    rng = np.random.default_rng(0)
    normal = partial(rng.normal, size=[1500, FEATURES])
    for shift in (0.1, 0.2, 0.3, 0.5, 1.0):
        value = np.mean([kid(normal(), normal() + shift).value for _ in "123"])
        read, simple = mean_shift(value), np.sqrt(value / 3)
        print(f"shift {shift}: read {read:.3f}, sqrt(KID / 3) {simple:.3f}")
    value = np.mean([kid(normal(), normal() * 2**0.5).value for _ in "123"])
    print(f"variances doubled: read {mean_shift(value):.3f}")


def neighbourhoods(quick):
    """The second table: an ideal generator by neighbours and by Fréchet."""
    print(
        "\n| subjects | by | precision | recall | density | coverage | ratio |"
    )
    print("|" + " --- |" * 7)
    for count in COUNTS:
        by_subject, by_slice, ratios = [], [], []
        rng = np.random.default_rng(count)
        for seed in range(5 if quick else 40):
            real, owners, synthetic = cohort(rng, count, 0.8)
            pair = real, synthetic
            by_subject.append(
                precision_recall_density_coverage(*pair, subjects=owners)
            )
            by_slice.append(precision_recall_density_coverage(*pair))
            ratios.append(
                frechet_ratio(*pair, seed=seed, subjects=owners, splits=2)
            )
        for name, found in (("subject", by_subject), ("slice", by_slice)):
            cells = " | ".join(f"{x:.2f}" for x in np.mean(found, axis=0))
            ratio = f"{np.mean(ratios):.2f}" if name == "subject" else ""
            print(f"| {count} | {name} | {cells} | {ratio} |", flush=True)


def damage(folders, config):
    """The third table: known damage of phantom slices, by two encoders."""
    from features import encoders, load, worsened

    every = ["train", "validation", "test"]
    images, owners, _ = load(folders[1], config, "AD", every)
    other_stage = load(folders[1], config, "NC", every)[0]
    names = np.unique(owners)
    rng = np.random.default_rng(0)
    held_out = np.isin(owners, rng.permutation(names)[: len(names) // 3])
    clean = images[~held_out]
    changed = {
        "other subjects of AD": clean,
        "blur of 1.5 pixels of 128": worsened(clean, "blur", 1.5),
        "noise of 0.05 SUVR": worsened(clean, "noise (SUVR)", 0.05),
        "checkerboard of 1 %": worsened(clean, "checkerboard", 0.01),
        "fainter by 3 %": worsened(clean, "fainter by", 0.03),
        "fainter by 5 %": worsened(clean, "fainter by", 0.05),
        "NC": other_stage,
    }
    print("| images | encoder | KID | shift | p |")
    print("|" + " --- |" * 5)
    for name, features_of in list(encoders(folders[0], config).items())[:2]:
        real = features_of(images[held_out])
        for kind, worse in changed.items():
            rows = rng.permutation(len(worse))[: len(real)]
            pair = real, features_of(worse[rows])
            by = {"subjects": owners[held_out]}
            found = kid(*pair, **by)
            p = kid_p_value(*pair, **by, seed=0)
            print(
                f"| {kind} | {name} | {found.value:.3f} ± "
                f"{found.standard_error:.3f} | "
                f"{mean_shift(found.value):.2f} | {p:.3f} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--prepared", nargs=2, metavar=("DATA_A", "DATA_B"))
    parser.add_argument("--config", default="axial_64")
    options = parser.parse_args()
    if options.prepared:
        damage(options.prepared, options.config)
    else:
        simulate(options.quick)
        readings()
        neighbourhoods(options.quick)


if __name__ == "__main__":
    main()
