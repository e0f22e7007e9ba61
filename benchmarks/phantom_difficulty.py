"""How hard the phantom is, for a linear observer.

Planted: effect sizes of what `make_subject` draws, 1,500 subjects a stage,
nothing rendered. Rendered: an observer of volumes at 3 mm, the first visit of
each subject, not aligned. Brain is the largest part in which the mean of the
cohort is above 30 % of its brightest voxels, thin bridges opened, holes
filled; a volume is divided by its mean there. Then come, fitted in the
training folds alone, PCA with 30 components at most, each brought to unit
variance, and logistic regression; 5 folds by subject, drawn 3 times, whose
AUCs are averaged. Cohorts of 80 a stage are also cut into parts of 40 and of
20. Only inner products of volumes are kept: PCA needs no more.

Usage: python benchmarks/phantom_difficulty.py [--difficulty easy]
    [--cohorts 3] [--processes 2] [--cache FOLDER] [--out FILE]
"""

import argparse
import functools
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from reporting import add_out, machine, print_table, write
from scipy import ndimage
from scipy.stats import rankdata
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.difficulty import DIFFICULTIES, REALISTIC
from tfds_adni.phantom.imaging import Grid
from tfds_adni.phantom.regions import REGIONS
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject

GRID = Grid((80, 80, 48), 3.0)
STAGES = ("NC", "MCI", "AD")
PLANTED, PLANTED_SEED = 1500, 1000
COHORTS, FIRST_SEED = 36, 2000  # cohort n has the seed FIRST_SEED + n
SUBJECTS = 80  # a stage
SIZES = (20, 40, 80)
COMPONENTS, FOLDS, REPEATS = 30, 5, 3
DARKEST = 0.3  # of the brain, of the brightest voxels
CEREBELLUM = "cerebellar cortex"
TOGETHER = {  # traits that a linear observer has together
    "thinning and ventricles": ("thinning", "ventricles"),
    "thinning by region and ventricles": ("thinning by region", "ventricles"),
    "uptake by region": ("uptake by region",),
}


def auc(healthy, patients):
    """Chance that a patient is below a healthy one, ties a half."""
    ranks = rankdata(np.concatenate([healthy, patients]))
    below = ranks[: len(healthy)].sum() - len(healthy) * (len(healthy) + 1) / 2
    return float(below / len(healthy) / len(patients))


def effect_size(healthy, patients):
    """Cohen's d of two groups of the same size."""
    pooled = (healthy.var(ddof=1) + patients.var(ddof=1)) / 2
    return float((healthy.mean() - patients.mean()) / np.sqrt(pooled))


def planted(difficulty):
    """Effect sizes and AUCs of what is drawn, as rows."""
    draw = functools.partial(
        make_subject, seed=PLANTED_SEED, difficulty=difficulty
    )
    groups = {s: traits([draw(s, n) for n in range(PLANTED)]) for s in STAGES}
    single = {
        name: (name,)
        for name, values in groups["NC"].items()
        if values.ndim == 1
    }
    return [
        {"planted": name}
        | _apart("MCI", names, groups)
        | _apart("AD", names, groups)
        for name, names in (single | TOGETHER).items()
    ]


def _apart(stage, names, groups):
    """Cohen's d of one trait, and the AUC of one or of several."""
    healthy, patients = (
        np.column_stack([groups[s][name] for name in names])
        for s in ("NC", stage)
    )
    if healthy.shape[1] == 1:
        size = f"{effect_size(healthy[:, 0], patients[:, 0]):.2f}"
        area = auc(healthy[:, 0], patients[:, 0])
    else:
        size, area = "", linear(healthy, patients)
    return {f"d, {stage}": size, f"AUC, {stage}": area}


def traits(subjects):
    """What is drawn of subjects, `[n]` or `[n, values]` by name."""
    sizes = build_anatomy(GRID.spacing).sizes
    cortex = [
        size * (r.tissue == "cortex" and r.name != CEREBELLUM)
        for r, size in zip(REGIONS, sizes, strict=True)
    ]
    uptake = np.array([s.uptake() for s in subjects])
    thinning = np.array([s.thinning() for s in subjects])
    found = {
        "thinning": -thinning @ cortex / np.sum(cortex),
        "ventricles": -np.array([s.ventricle() for s in subjects]),
        "thinning by region": thinning,
        "uptake by region": uptake.reshape(len(subjects), -1),
    }
    means = uptake.mean(axis=1).T
    return found | {
        f"uptake, {r.name}": values
        for r, values in zip(REGIONS, means, strict=True)
    }


def linear(healthy, patients):
    """AUC of logistic regression on traits, 5 folds."""
    features = np.concatenate([healthy, patients])
    labels = np.repeat([0, 1], [len(healthy), len(patients)])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    scores = []
    for train, test in folds(labels, 0):
        model.fit(features[train], labels[train])
        score = model.decision_function(features[test])
        is_patient = labels[test] == 1
        scores.append(auc(-score[~is_patient], -score[is_patient]))
    return float(np.mean(scores))


def folds(labels, seed):
    """Training and test subjects of each fold."""
    split = RepeatedStratifiedKFold(
        n_splits=FOLDS, n_repeats=REPEATS, random_state=seed
    )
    return split.split(labels, labels)


def inner_products(difficulty, seed, *, subjects=SUBJECTS):
    """Those of a cohort's volumes, stage by stage, `[3 * n, 3 * n]`."""
    anatomy = build_anatomy(GRID.spacing)
    volumes = [
        render(subject, anatomy, grid=GRID)
        for stage in STAGES
        for subject in (
            make_subject(stage, n, seed=seed, difficulty=difficulty)
            for n in range(subjects)
        )
    ]
    volumes = np.array(volumes)
    brain = volumes[:, brain_of(volumes.mean(axis=0))].astype(np.float64)
    brain /= brain.mean(axis=1, keepdims=True)
    brain -= brain.mean(axis=0)
    return brain @ brain.T


def brain_of(mean):
    """The brain in the mean of a cohort, its ventricles included."""
    bright = mean > DARKEST * np.percentile(mean, 99.9)
    parts, _ = ndimage.label(ndimage.binary_opening(bright, iterations=2))
    sizes = np.bincount(parts.ravel())[1:]
    return ndimage.binary_fill_holes(parts == 1 + np.argmax(sizes))


def cached(difficulty, seed, *, folder, subjects=SUBJECTS):
    """`inner_products`, kept in a folder."""
    path = folder / f"{difficulty}_{seed}_{subjects}.npy"
    if not path.is_file():
        products = inner_products(difficulty, seed, subjects=subjects)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            np.save(file, products)
        Path(file.name).replace(path)
    return np.load(path, allow_pickle=False)


def observe(products, labels, seed):
    """AUC and accuracy of the observer, mean of the folds."""
    found = []
    for train, test in folds(labels, seed):
        model = make_pipeline(
            KernelPCA(min(COMPONENTS, len(train) - 1), kernel="precomputed"),
            StandardScaler(),
            LogisticRegression(max_iter=1000),
        )
        model.fit(products[np.ix_(train, train)], labels[train])
        score = model.decision_function(products[np.ix_(test, train)])
        sick = labels[test] == 1
        area = auc(-score[~sick], -score[sick])
        found.append((area, np.mean((score > 0) == sick)))
    return np.mean(found, axis=0)


def observed(products, stage, size, seed):
    """AUC and accuracy in each part of a cohort, `[parts, 2]`."""
    of_stage = len(products) // len(STAGES)
    start = of_stage * STAGES.index(stage)
    labels = np.repeat([0, 1], size)
    found = []
    for first in range(0, of_stage - size + 1, size):
        part = np.arange(first, first + size)
        part = np.concatenate([part, part + start])
        found.append(observe(products[np.ix_(part, part)], labels, seed))
    return np.array(found)


def first_component(products):
    """Share of the variance of NC, MCI and AD on one component."""
    centred = products - products.mean(0) - products.mean(1)[:, None]
    values = np.linalg.eigvalsh(centred + products.mean())
    return float(values[-1] / values.sum())


def rendered(difficulty, seeds, *, processes, folder):
    """What the observer reads at each size, as rows."""
    draw = functools.partial(cached, difficulty, folder=folder)
    with ProcessPoolExecutor(processes) as pool:
        products = list(pool.map(draw, seeds))
    rows = []
    for stage, size in [("AD", s) for s in SIZES] + [("MCI", SUBJECTS)]:
        found = [
            observed(p, stage, size, seed).mean(axis=0)
            for p, seed in zip(products, seeds, strict=True)
        ]
        area, accuracy = np.mean(found, axis=0)
        error = ""  # of one cohort there is none
        if len(found) > 1:
            error = np.std(found, axis=0, ddof=1)[0] / np.sqrt(len(found))
            error = float(error)
        rows.append(
            {
                "NC against": stage,
                "a stage": size,
                "auc": float(area),
                "standard error": error,
                "accuracy": float(accuracy),
            }
        )
    share = float(np.mean([first_component(p) for p in products]))
    return rows, share


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--difficulty", choices=DIFFICULTIES, default=REALISTIC)
    parser.add_argument("--cohorts", type=int, default=COHORTS)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="keeps what is rendered")
    add_out(parser)
    options = parser.parse_args(arguments)
    result = {
        "difficulty": options.difficulty,
        "planted": planted(options.difficulty),
    }
    print(f"phantom, {options.difficulty}: no patients")
    print_table(result["planted"])
    if options.cohorts:
        seeds = [FIRST_SEED + n for n in range(options.cohorts)]
        with tempfile.TemporaryDirectory() as spare:
            folder = options.cache or Path(spare)
            folder.mkdir(parents=True, exist_ok=True)
            rows, share = rendered(
                options.difficulty,
                seeds,
                processes=options.processes,
                folder=folder,
            )
        result |= {"rendered": rows, "first_component": share}
        print_table(rows)
        print(f"first principal component: {share:.0%} of the variance")
    write(result | {"machine": machine()}, options.out)


if __name__ == "__main__":
    main()
