"""Mutations of the phantom; `mutations.py` runs these beside its own."""

from wrong_lines import Mutation, tests_of

_HOME = "tfds_adni/phantom"

PHANTOMS = (
    Mutation(
        "cortex grows where it should thin",
        f"{_HOME}/folding.py",
        "size - fluid - thinning_mm * per_mm",
        "size - fluid + thinning_mm * per_mm",
        tests_of("phantom_folding.py"),
    ),
    Mutation(
        "white matter at the sulci",
        f"{_HOME}/folding.py",
        "expit((grey - size) / edge)",
        "expit((size - grey) / edge)",
        tests_of("phantom_folding.py"),
    ),
    Mutation(
        "one folding for everybody",
        f"{_HOME}/folding.py",
        "noise = rng.standard_normal((2,",
        "noise = np.random.default_rng(0).standard_normal((2,",
        tests_of("phantom_folding.py"),
    ),
    Mutation(
        "left and right of a loss",
        f"{_HOME}/disease.py",
        "[(1 - tilt) * loss, (1 + tilt) * loss]",
        "[(1 + tilt) * loss, (1 - tilt) * loss]",
        tests_of("phantom_disease.py"),
    ),
    Mutation(
        "patients of more than the mean severity",
        f"{_HOME}/disease.py",
        "rng.gamma(shape, 1 / shape)",
        "rng.gamma(shape, 1.1 / shape)",
        tests_of("phantom_disease.py"),
    ),
    Mutation(
        "amyloid the wrong way round",
        f"{_HOME}/disease.py",
        "amyloid_at < _amyloid_share(stage, difficulty)",
        "amyloid_at >= _amyloid_share(stage, difficulty)",
        tests_of("phantom_disease.py"),
    ),
    Mutation(
        "the healthy twin is ill",
        f"{_HOME}/subjects.py",
        'replace(self, stage="NC", disease=no_disease())',
        'replace(self, stage="NC")',
        tests_of("phantom_disease.py"),
    ),
    Mutation(
        "the healthy twin is somebody else",
        f"{_HOME}/subjects.py",
        "[self.seed, self.rid, part, *visit]",
        "[self.seed, self.rid, STAGES.index(self.stage), part, *visit]",
        tests_of("phantom_render.py"),
    ),
    Mutation(
        "ventricles shrink",
        f"{_HOME}/render.py",
        "expit((distance + 0.5 - moved_mm) / _EDGE_MM)",
        "expit((distance + 0.5 + moved_mm) / _EDGE_MM)",
        tests_of("phantom_render.py"),
    ),
    Mutation(
        "visits share their noise",
        f"{_HOME}/render.py",
        "subject.stream(NOISE, visit, order, frame)",
        "subject.stream(NOISE, order, frame)",
        tests_of("phantom_render.py"),
    ),
    Mutation(
        "noise that its kernel took away stays away",
        f"{_HOME}/imaging.py",
        "size /= np.linalg.norm(weights[len(axis) // 2])",
        "size /= weights[len(axis) // 2].sum()",
        tests_of("phantom_render.py"),
    ),
    Mutation(
        "left and right of a stored phantom",
        f"{_HOME}/scans.py",
        "volume[::-1] / slope",
        "volume / slope",
        tests_of("phantom_cohort.py"),
    ),
    Mutation(
        "two visits under one number",
        f"{_HOME}/scans.py",
        "MOST_VISITS * person + self.visit",
        "person + self.visit",
        tests_of("phantom_cohort.py"),
    ),
)
