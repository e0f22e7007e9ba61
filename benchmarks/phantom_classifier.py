"""How well the study's own classifier tells the phantom's stages apart.

Phantom cohorts, whose seeds are fixed, are prepared and divided by subject as
`pet-dcgan study` does; its CNN learns from real images alone and answers about
subjects that it has not seen. Of 104 subjects a stage about 70 train it in each
of five splits.

    python benchmarks/phantom_classifier.py WORK
    python benchmarks/phantom_classifier.py WORK --difficulty easy --cohorts 1

WORK keeps the cohorts, as prepared slices. With --spacing 3 they take a fifth
of the time.
"""

import argparse
import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import reporting
from scipy.stats import t as student

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.study.settings import REAL, TASKS, Cell, StudySettings
from tfds_adni.phantom.difficulty import DIFFICULTIES, REALISTIC

CONFIG, SPLITS, SUBJECTS = "axial_64", 5, 104
SEEDS = (1001, 1002, 1003, 1004, 1005, 1006)  # of the cohorts
PAIRS = {"AD": ("NC", "AD"), "MCI": ("NC", "MCI")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairSettings(StudySettings):
    """Those of a study that may tell NC from MCI, too."""

    pair: tuple[str, str] = TASKS["nc-ad"]

    @property
    def classes(self):
        """The stages to tell apart."""
        return self.pair


def make_cohort(work, difficulty, seed, subjects, spacing):
    """Renders and prepares a phantom unless it is there; its slices' folder."""
    from tfds_adni import prepare
    from tfds_adni.phantom import write_cohort
    from tfds_adni.phantom.imaging import ADNI_GRID, Grid

    home = work / f"{difficulty}_{seed}_{subjects}_{spacing:g}mm"
    if (home / "adni" / CONFIG).exists():
        return home
    scans = home / "scans"
    factor = ADNI_GRID.spacing / spacing
    shape = tuple(round(n * factor) for n in ADNI_GRID.shape)
    if not scans.exists():
        write_cohort(
            scans,
            subjects=dict.fromkeys(("NC", "MCI", "AD"), subjects),
            seed=seed,
            grid=Grid(shape, spacing),
            difficulty=difficulty,
            visits=1,  # the first is the one that is used by default
        )
    prepare(scans, home, config=CONFIG)
    shutil.rmtree(scans)
    return home


def predictions(data_dir, pair, seed, percent):
    """What the classifier of each split says, and of how many it learnt."""
    from pet_dcgan.study.classifiers import train_and_predict
    from pet_dcgan.study.data import load_study_data

    settings = PairSettings(
        data_dir=str(data_dir),
        dataset=CONFIG,
        pair=pair,
        splits=SPLITS,
        fractions=(percent,),
        seed=seed,
    )
    data = load_study_data(settings)
    cells = [Cell(number, 0, percent, REAL) for number in range(SPLITS)]
    trained = [len(data.subjects(c, stage)) for c in cells for stage in pair]
    found = [train_and_predict(c, data=data, generators={}) for c in cells]
    return [[one] for one in found], min(trained)


def measure(work, options):
    """A row of results for each cohort and pair of stages."""
    from pet_dcgan.study.statistics import score_row

    rows = []
    for seed in SEEDS[: options.cohorts]:
        home = make_cohort(
            work, options.difficulty, seed, options.subjects, options.spacing
        )
        for stage in options.stages:
            start = time.process_time()
            own, trained = predictions(
                home, PAIRS[stage], seed, options.percent
            )
            auc = score_row(own, "auc", SPLITS)
            splits = [one.score("auc") for (one,) in own]
            rows.append(
                {
                    "phantom": options.difficulty,
                    "stages": f"NC, {stage}",
                    "cohort": seed,
                    "trained on": trained,
                    "AUC": round(auc["mean"], 3),
                    "95 %": f"{auc['low']:.3f} to {auc['high']:.3f}",
                    "splits": f"{min(splits):.3f} to {max(splits):.3f}",
                    "balanced accuracy": round(
                        score_row(own, "balanced_accuracy", SPLITS)["mean"], 3
                    ),
                    "s": round(time.process_time() - start),
                }
            )
            print(rows[-1], flush=True)
    return rows


def summarise(rows):
    """Means over cohorts; cohorts share nobody, so Student's t holds."""
    found = []
    for stages in dict.fromkeys(row["stages"] for row in rows):
        own = [row for row in rows if row["stages"] == stages]
        values = np.array([row["AUC"] for row in own])
        count = len(values)
        error = values.std(ddof=1) / np.sqrt(count) if count > 1 else np.nan
        reach = error * student.ppf(0.975, count - 1) if count > 1 else np.nan
        mean = values.mean()
        found.append(
            {
                "phantom": own[0]["phantom"],
                "stages": stages,
                "cohorts": count,
                "trained on": own[0]["trained on"],
                "AUC": round(float(mean), 3),
                "95 %": f"{mean - reach:.3f} to {mean + reach:.3f}"
                if count > 1
                else own[0]["95 %"],
                "balanced accuracy": round(
                    float(np.mean([r["balanced accuracy"] for r in own])), 3
                ),
            }
        )
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--difficulty", choices=DIFFICULTIES, default=REALISTIC)
    parser.add_argument("--stages", nargs="+", choices=PAIRS, default=PAIRS)
    parser.add_argument("--cohorts", type=int, default=len(SEEDS))
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--percent", type=int, default=100, help="of 70")
    parser.add_argument("--spacing", type=float, default=1.5)
    reporting.add_out(parser)
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    rows = measure(options.work, options)
    means = summarise(rows)
    print()
    reporting.print_table(rows)
    print()
    reporting.print_table(means)
    result = {"machine": reporting.machine(), "rows": rows, "means": means}
    reporting.write(result, options.out)


if __name__ == "__main__":
    main()
