"""Mutations of how scans are read and of what is judged by.

`mutations.py` runs these beside its own.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One wrong line.

    Attributes:
        name: What is wrong then.
        file: Where, from the root of the repository.
        old: Text that stands there exactly once.
        new: What replaces it.
        tests: Files of tests, or single tests, that should notice.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def tests_of(*names):
    """Files of tests by what follows `tests/test_`."""
    return tuple(f"tests/test_{name}" for name in names)


JUDGEMENTS = (
    Mutation(
        "1 % more SUVR when stored",
        "tfds_adni/parallel/examples.py",
        "suvr / spec.suvr_max, 0, 1",
        "suvr / spec.suvr_max * 1.01, 0, 1",
        tests_of("examples.py"),
    ),
    Mutation(
        "1 % less SUVR by the brain's mean",
        "tfds_adni/volumes/normalisation.py",
        "        divisor = found.mean\n",
        "        divisor = found.mean * 1.01\n",
        tests_of("normalisation.py"),
    ),
    Mutation(
        "1 % more SUVR of a network",
        "pet_dcgan/models/sampling.py",
        "(suvr_max / 2)",
        "(suvr_max / 1.98)",
        tests_of("sampling.py", "planted_images.py"),
    ),
    Mutation(
        "subjects that are enough",
        "pet_dcgan/metrics/confidence.py",
        "MIN_SUBJECTS = 8",
        "MIN_SUBJECTS = 7",
        tests_of("confidence.py"),
    ),
    Mutation(
        "a good word for few subjects",
        "pet_dcgan/evaluation/assessment.py",
        'sign == "good" and subjects < MIN_SUBJECTS',
        'sign == "good" and subjects < 2',
        tests_of("assessment.py"),
    ),
    Mutation(
        "a shift that is large",
        "pet_dcgan/evaluation/findings.py",
        "_SHIFT = 0.1, 0.3",
        "_SHIFT = 0.1, 0.31",
        tests_of("assessment.py"),
    ),
    Mutation(
        "coverage that is missing",
        "pet_dcgan/evaluation/findings.py",
        "_UNCOVERED = 0.3, 0.7",
        "_UNCOVERED = 0.31, 0.7",
        tests_of("assessment.py"),
    ),
    Mutation(
        "two encoders, one p-value",
        "pet_dcgan/evaluation/findings.py",
        'name: _sign_of_shift(number, tests * number["p_value"])',
        'name: _sign_of_shift(number, number["p_value"])',
        tests_of("assessment.py"),
    ),
    Mutation(
        "mirrored copies",
        "pet_dcgan/metrics/copy_search.py",
        "for each in (images, images[..., ::-1])",
        "for each in (images, images)",
        tests_of("copy_search.py"),
    ),
    Mutation(
        "a generator chosen by KID alone",
        "pet_dcgan/runs/selection_log.py",
        "return self.val_kid + self.suspects",
        "return self.val_kid",
        tests_of("selection_log.py", "kid_selection.py"),
    ),
    Mutation(
        "a subject under two names",
        "pet_dcgan/metrics/memorization.py",
        "owners = merged_subjects(train, train_subjects)",
        "owners = subject_codes(train_subjects, len(train))",
        tests_of("hostile_numbers.py::test_copies_hide_behind_nothing"),
    ),
    Mutation(
        "few held-out subjects excuse suspects",
        "pet_dcgan/metrics/memorization.py",
        "return few or p_value < _SHARE_P_VALUE",
        "return p_value < _SHARE_P_VALUE",
        tests_of("memorization.py"),
    ),
    Mutation(
        "largest rate of suspects",
        "pet_dcgan/metrics/memorization.py",
        "beta.ppf(0.95, found + 1, count - found)",
        "beta.ppf(0.9, found + 1, count - found)",
        tests_of("independent.py"),
    ),
    Mutation(
        "export of copies",
        "pet_dcgan/serving/export.py",
        "if has_copies(metrics) and not allow_copies:",
        "if has_copies(metrics) and allow_copies:",
        tests_of("export.py"),
    ),
    Mutation(
        "export of suspects",
        "pet_dcgan/serving/model_card.py",
        '_REFUSED = ("copies", "suspects")',
        '_REFUSED = ("copies",)',
        tests_of("export.py", "model_card.py"),
    ),
    Mutation(
        "labels that count from the start",
        "pet_dcgan/models/conditional_dcgan.py",
        "done / max(1, last - first), 0.0, 1.0",
        "done / max(1, last - first), 1.0, 1.0",
        tests_of("conditional_dcgan.py"),
    ),
    Mutation(
        "a position in another plane's band",
        "pet_dcgan/models/condition_layers.py",
        "ends = [bands.get(plane, (-1.0, 1.0)) for plane in PLANES]",
        "ends = [bands.get(plane, (-1.0, 1.0)) for plane in PLANES[::-1]]",
        tests_of("conditional_dcgan.py"),
    ),
    Mutation(
        "a generator chosen before its conditions count",
        "pet_dcgan/training/kid_selection.py",
        '"label_weight", 1.0)) < 1.0',
        '"label_weight", 1.0)) < 0.0',
        tests_of("kid_selection.py"),
    ),
    Mutation(
        "an image of a row that is refused",
        "pet_dcgan/models/conditional_signatures.py",
        'pngs = tf.where(rows.fine, pngs, "")',
        "pngs = tf.identity(pngs)",
        tests_of("conditional_signatures.py"),
    ),
    Mutation(
        "a version that knows fewer stages",
        "pet_dcgan/serving/compatibility.py",
        "changes += _narrower(known, knew)",
        "changes += _narrower(knew, knew)",
        tests_of("conditional_export.py"),
    ),
    Mutation(
        "any class in networks.json",
        "pet_dcgan/models/network_config.py",
        'if value.get("compile_config") or not known:',
        'if value.get("compile_config"):',
        tests_of("network_config.py"),
    ),
    Mutation(
        "a run of slices that lack a subject",
        "pet_dcgan/runs/model_run.py",
        "more = sorted(model.subjects - set(slices.subjects.tolist()))",
        "more = []",
        tests_of("model_run.py"),
    ),
    Mutation(
        "state before the callbacks that set rates",
        "pet_dcgan/training/user_callbacks.py",
        "return [*first, *callbacks, *last]",
        "return [*first, *last, *callbacks]",
        tests_of("user_callbacks.py"),
    ),
    Mutation(
        "false positives of an attack",
        "pet_dcgan/metrics/membership.py",
        "HELD_OUT_FOR_ONE = 100",
        "HELD_OUT_FOR_ONE = 90",
        tests_of("membership.py"),
    ),
    Mutation(
        "pairs in Newcombe's variance",
        "pet_dcgan/metrics/confidence.py",
        "half = (m + n) / 2 - 1",
        "half = (m + n) / 2",
        tests_of("confidence.py"),
    ),
    Mutation(
        "splits that share subjects, in the interval",
        "pet_dcgan/study/intervals.py",
        "share = 1 / len(values) + 1 / (splits - 1)",
        "share = 1 / len(values)",
        tests_of("study_statistics.py"),
    ),
    Mutation(
        "the wider of two intervals",
        "pet_dcgan/study/intervals.py",
        "return Interval(min(first.low, second.low), max(",
        "return Interval(max(first.low, second.low), max(",
        tests_of("study_statistics.py"),
    ),
    Mutation(
        "margin of equivalence",
        "pet_dcgan/study/statistics.py",
        "MARGIN = 0.05",
        "MARGIN = 0.06",
        tests_of("study_statistics.py"),
    ),
    Mutation(
        "folds that overlap",
        "pet_dcgan/study/splits.py",
        "training=frozenset(others - validation)",
        "training=frozenset(stages.keys() - validation)",
        tests_of("study_splits.py"),
    ),
    Mutation(
        "guard: parts of a split share no subject",
        "pet_dcgan/study/splits.py",
        "        require_disjoint_parts(self.parts",
        "        dict(self.parts",
        tests_of("study_splits.py"),
    ),
    Mutation(
        "digits of a site",
        "pet_dcgan/study/sites.py",
        r"(\d{3})_?S",
        r"(\d{2})\d_?S",
        tests_of("study_splits.py"),
    ),
)

READINGS = (
    Mutation(
        "a date that could be either",
        "tfds_adni/tables/dates.py",
        "return dates.pop() if len(dates) == 1 else None",
        "return min(dates, default=None)",
        tests_of("dates.py"),
    ),
    Mutation(
        "day and month exchanged",
        "tfds_adni/tables/date_spellings.py",
        '{"dmy": (third, second, first), "mdy": (third, first, second)}',
        '{"mdy": (third, second, first), "dmy": (third, first, second)}',
        tests_of("dates.py"),
    ),
    Mutation(
        "the kind of image with fewest subjects",
        "tfds_adni/cohort/kinds.py",
        "rank = -subjects[kind], -sessions[kind]",
        "rank = subjects[kind], -sessions[kind]",
        tests_of("kinds.py"),
    ),
    Mutation(
        "the farthest JSON file wins",
        "tfds_adni/sources/bids_sidecars.py",
        "facts |= self._read(path)",
        "facts = self._read(path) | facts",
        tests_of("bids_sidecars.py"),
    ),
    Mutation(
        "frames by their start",
        "tfds_adni/volumes/frames.py",
        "ends, middles = starts + durations, starts + durations / 2",
        "ends, middles = starts + durations, starts",
        tests_of("frames.py"),
    ),
    Mutation(
        "left stays right",
        "tfds_adni/volumes/grids.py",
        "        affine[0] *= -1\n    flags = [",
        "        pass\n    flags = [",
        tests_of("orientation.py"),
    ),
    Mutation(
        "single voxels decide where the brain is",
        "tfds_adni/volumes/smoothing.py",
        "_FWHM_MM = 10.0",
        "_FWHM_MM = 1.0",
        tests_of("brain_robustness.py"),
    ),
    Mutation(
        "hot voxels count",
        "tfds_adni/volumes/brain_mask.py",
        "_NARROW = (-1.0, 2.5)",
        "_NARROW = (-1e9, 1e9)",
        tests_of("brain_robustness.py"),
    ),
    Mutation(
        "another recipe is taken",
        "pet_dcgan/references.py",
        "    if found != RECIPE:",
        "    if False:",
        tests_of("recipe.py"),
    ),
)
