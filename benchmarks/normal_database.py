r"""Maps of patients against normal volumes: synthetic ones beside real ones.

A phantom patient is compared with n normal volumes, voxel by voxel, by the
t-statistic of a single case (Crawford & Howell 1998, doi
10.1076/clin.12.4.482.7241): t = (x - mean) / (sd sqrt((n + 1) / n)) with
n - 1 degrees of freedom. Voxels of one-sided p below 0.01 are marked low. What
is planted is known: the same invented person without the disease, in a set
prepared from the other half of a counterfactual phantom.

    pet-dcgan phantom pairs --subjects 100 --seed 1 --counterfactual
    pet-dcgan prepare pairs/with_disease --data-dir data --config volume_64
    pet-dcgan prepare pairs/without_disease --data-dir healthy \
        --config volume_64
    python benchmarks/normal_database.py RUN --healthy healthy

RUN is a finished run on volumes of `data`. Patients and healthy people to
count false positives on are of validation and test; real normal volumes of
the training split, one of each subject, whom the generator has seen as well.
"""

import argparse
import statistics

import numpy as np
import reporting
from scipy import stats

from pet_dcgan.cli.console import start_tensorflow

COUNTS = (10, 20, 40)
MANY = 200
PLANTED = 0.05  # of what there would be without the disease
P = 0.01


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="a run on volumes, with its data set")
    parser.add_argument("--healthy", required=True, help="a --data-dir")
    parser.add_argument("--draws", type=int, default=10)
    reporting.add_out(parser)
    options = parser.parse_args()
    start_tensorflow()
    people = Phantoms(options.run, options.healthy)
    rows = []
    rng = np.random.default_rng(0)
    for count in COUNTS:
        for kind, pool in people.pools.items():
            if count <= len(pool):
                rows.append(
                    {"volumes": f"{count} {kind}"}
                    | people.measured(pool, count, options.draws, rng)
                )
    synthetic = people.pools["synthetic"]
    rows.append(
        {"volumes": f"{len(synthetic)} synthetic"}
        | people.measured(synthetic, len(synthetic), 1, rng)
    )
    real = people.pools["real"]
    rows.append(
        {"volumes": f"{len(real)} real"}
        | people.measured(real, len(real), 1, rng)
    )
    reporting.print_table(rows)
    found = {"machine": reporting.machine(), "phantom": True, "rows": rows}
    reporting.write(found, options.out)


class Phantoms:
    """Patients, what is planted in them, and volumes to compare them with."""

    def __init__(self, run, healthy):
        from pet_dcgan import Run, asked, load_slices
        from pet_dcgan.models.sampling import synthetic_slices

        run = Run.open(run)
        config = run.config

        def volumes(data_dir, split, stage):
            found = load_slices(
                data_dir,
                config.dataset,
                split=split,
                stage=stage,
                plane="volume",
            )
            suvr = np.float32(found.meta.suvr_max / 65535) * found.images
            return suvr, found.subjects, found.scans

        trained, subjects, _ = volumes(config.data_dir, "train", "NC")
        known = np.isin(subjects, list(run.subjects))
        trained, subjects = trained[known], subjects[known]
        first = np.unique(subjects, return_index=True)[1]
        network = asked(run.load_generator(), stage="NC")
        self.pools = {
            "real": trained[first],
            "synthetic": synthetic_slices(
                network, np.arange(MANY), suvr_max=config.suvr_max
            ),
        }
        self.brain = trained.mean(axis=0) > 0.5
        held_out = [
            volumes(config.data_dir, split, stage)
            for stage in ("AD", "NC")
            for split in ("validation", "test")
        ]
        self.patients = np.concatenate([part[0] for part in held_out[:2]])
        self.healthy = np.concatenate([part[0] for part in held_out[2:]])
        scans = np.concatenate([part[2] for part in held_out[:2]])
        without, _, names = volumes(healthy, "all", "ALL")
        rows = {name: row for row, name in enumerate(names)}
        pairs = without[[rows[name] for name in scans]]
        lost = (pairs - self.patients) / np.maximum(pairs, 0.1)
        self.planted = (lost > PLANTED) & self.brain

    def measured(self, pool, count, draws, rng):
        """Dice with what is planted, and false positives; medians of draws."""
        found = []
        for _ in range(draws):
            normal = pool[rng.choice(len(pool), count, replace=False)]
            of_patients = single_case(self.patients, normal)
            of_healthy = single_case(self.healthy, normal)
            limit = stats.t.ppf(P, count - 1)
            low = (of_patients < limit) & self.brain
            false = (of_healthy < limit) & self.brain
            # what both kinds find where both mark as much in healthy people
            alike = np.quantile(of_healthy[:, self.brain], P)
            matched = (of_patients < alike) & self.brain
            found.append(
                (
                    statistics.mean(map(dice, low, self.planted)),
                    statistics.mean(
                        float(mark[there].mean())
                        for mark, there in zip(low, self.planted, strict=True)
                        if there.any()
                    ),
                    float(false[:, self.brain].mean()),
                    statistics.mean(map(dice, matched, self.planted)),
                )
            )
        names = (
            *("Dice", "found of planted", "marked in healthy"),
            "Dice at 1 % in healthy",
        )
        columns = dict(zip(names, zip(*found, strict=True), strict=True))
        return {name: in_words(values) for name, values in columns.items()}


def single_case(volumes, normal):
    """The t-statistic of each voxel of each volume beside normal volumes."""
    count = len(normal)
    mean, deviation = normal.mean(axis=0), normal.std(axis=0, ddof=1)
    scale = np.maximum(deviation, 1e-3) * np.sqrt((count + 1) / count)
    return (volumes - mean) / scale


def in_words(values):
    """The median, and the range of several."""
    middle = f"{statistics.median(values):.3f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.3f} to {max(values):.3f})"


def dice(marked, planted):
    """Twice what both have over what they have together; 1 for nothing."""
    together = marked.sum() + planted.sum()
    return float(2 * (marked & planted).sum() / together) if together else 1.0


if __name__ == "__main__":
    main()
