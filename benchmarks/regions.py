"""How good the ceilings, intervals and levels of regions and contrasts are.

    python benchmarks/regions.py                       simulated cohorts
    python benchmarks/regions.py DATA --config axial_128    levels, too

Simulated: cohorts of correlated slices, and a generator that has their own
distribution; what it reaches on average beside the ceilings that halves of
each cohort tell, and how often intervals hold the truth. In a prepared set:
the level of the nearest training slice of the stage, for slices of subjects
that are not among those, whose level is known.
"""

import argparse

import numpy as np

from pet_dcgan.metrics.contrast import compare_contrasts
from pet_dcgan.metrics.levels import level_edges, level_of
from pet_dcgan.metrics.neighbors import nearest_rows
from pet_dcgan.metrics.region_statistics import set_agreement, set_statistics

REGIONS, EACH = 9, 24
_MIXING = np.random.default_rng(1).normal(size=[REGIONS, REGIONS])


def uptake(subjects, each, seed):
    """Uptake of nine regions, two thirds of the variance between subjects."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(size=[subjects, REGIONS]), each, axis=0)
    noise = rng.normal(size=own.shape)
    mixed = np.sqrt(2 / 3) * own + np.sqrt(1 / 3) * noise
    return 1 + 0.05 * mixed @ _MIXING.T, np.repeat(np.arange(subjects), each)


def regions(subjects, cohorts):
    """What a perfect generator reaches, the ceilings, and the coverage."""
    found, held = [], []
    sd = 0.05 * np.sqrt((_MIXING**2).sum(axis=1))
    for seed in range(cohorts):
        real, owners = uptake(subjects, EACH, seed)
        synthetic, _ = uptake(1000, 1, 10_000 + seed)
        each = set_agreement(real, synthetic, subjects=owners, seed=seed)
        found.append([each[i] for i in (0, 2, 3, 4, 5, 6)])
        spread = set_statistics(real, owners).sd
        held.append((spread.low <= sd) & (sd <= spread.high))
    return [*np.mean(found, axis=0), np.mean(held)]


def stages(subjects, seed, loss=1.0):
    """Two stages of smooth maps `[s, 3, 24, 24]`, some uptake lost."""
    rng = np.random.default_rng(seed)
    lost = np.random.default_rng(2).uniform(0, 0.2, [3, 6, 6])
    found = []
    for share in (0, loss):
        maps = 1 + 0.12 * rng.normal(size=[subjects, 3, 6, 6]) - share * lost
        found.append(maps.repeat(4, axis=2).repeat(4, axis=3))
    return found


def contrasts(subjects, cohorts):
    """The same of t-maps, with and without further subjects."""
    found = []
    for seed in range(cohorts):
        real, others = stages(subjects, seed), stages(32, 20_000 + seed)
        many = stages(300, 10_000 + seed)
        images = [x.reshape(-1, 24, 24) for x in many]
        levels = [np.tile(np.arange(3), 300)] * 2
        alone = compare_contrasts(real, images, levels, seed=seed)
        helped = compare_contrasts(
            real, images, levels, others=others, seed=seed
        )
        found.append(
            [alone.whole.correlation, alone.whole.ceiling, helped.whole.ceiling]
        )
    return [*np.mean(found, axis=0), *np.std(found, axis=0)[1:]]


def table(title, names, row, cohorts):
    """A table by number of subjects."""
    print(f"\n{title}\n\n| subjects | " + " | ".join(names) + " |")
    print("| --- |" + " --- |" * len(names))
    for subjects in (8, 12, 16, 32):
        numbers = " | ".join(f"{x:.2f}" for x in row(subjects, cohorts))
        print(f"| {subjects} | {numbers} |", flush=True)


def levels(data, config):
    """How well the nearest training slice tells the level."""
    from pet_dcgan.cli.console import start_tensorflow
    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import suvr_from_png

    start_tensorflow(gpu=False)
    print("\n| stage | held-out slices | error, mm | right level | chance |")
    print("| --- | --- | --- | --- | --- |")
    for stage in ("NC", "AD"):
        parts = [
            load_slices(data, config, split=split, stage=stage, plane="axial")
            for split in ("train", "validation", "test")
        ]
        images = [suvr_from_png(p.images, p.meta.suvr_max) for p in parts]
        positions = [p.positions_mm for p in parts]
        edges = level_edges(np.concatenate(positions))
        held_out = np.concatenate(images[1:])
        truth = np.concatenate(positions[1:])
        found = positions[0][nearest_rows(held_out, images[0])[0]]
        right = np.mean(level_of(found, edges) == level_of(truth, edges))
        share = np.bincount(level_of(truth, edges), minlength=3).max()
        error = np.abs(found - truth).mean()
        print(
            f"| {stage} | {len(truth)} | {error:.1f} | {right:.2f} | "
            f"{share / len(truth):.2f} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--config", default="axial_128")
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    options = parser.parse_args()
    share = 10 if options.quick else 1
    if options.data:
        levels(options.data, options.config)
    names = (
        *("correlation, perfect", "ceiling"),
        *("difference, perfect", "least"),
        *("SD factor, perfect", "least"),
        "SD intervals that hold",
    )
    table("Regions", names, regions, 200 // share)
    names = (
        *("correlation, perfect", "ceiling", "ceiling, 32 others"),
        *("SD of the ceiling", "SD, 32 others"),
    )
    table("Contrast", names, contrasts, 60 // share)


if __name__ == "__main__":
    main()
