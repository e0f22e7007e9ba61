"""Whether the tests notice a wrong line, asked of the lines that matter most.

Coverage says which lines the tests run, not which they judge. Here one line is
made wrong at a time in a copy of the working tree: the scale of a pixel, the
side of a brain, the sign of a loss, the seed of a latent, a guard against a
leak. The tests that should notice then run on that copy until the first one
fails. A mutation that survives is a missing test.

    python benchmarks/mutations.py --workers 2

The table says of each mutation whether it was noticed and by which test first.
The exit code is 1 where one survives. Before, the same tests run on a copy
without any mutation, so that a failure is the mutation's (`--no-control`
leaves that out). The text to be replaced has to stand in its file exactly
once; where it does not, the script says so and asks nothing.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import reporting
from wrong_lines import JUDGEMENTS, READINGS, Mutation, tests_of
from wrong_phantoms import PHANTOMS

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("pet_dcgan", "tfds_adni", "tests", "pyproject.toml", "setup.cfg")
# of pytest: all passed, a test failed, a file could not be read
_PASSED, _FAILED, _BROKEN = 0, 1, 2
_FIRST = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


MUTATIONS = (
    Mutation(
        "scale of a stored pixel",
        "tfds_adni/parallel/examples.py",
        "FULL_SCALE = 65535",
        "FULL_SCALE = 65534",
        tests_of("examples.py"),
    ),
    Mutation(
        "scale of a pixel read",
        "pet_dcgan/data/suvr.py",
        "PNG_MAX = 65535",
        "PNG_MAX = 65534",
        tests_of("suvr.py"),
    ),
    Mutation(
        "largest SUVR ignored",
        "tfds_adni/parallel/examples.py",
        "np.clip(suvr / spec.suvr_max, 0, 1)",
        "np.clip(suvr / 2.25, 0, 1)",
        tests_of("examples.py"),
    ),
    Mutation(
        "top and bottom of a slice",
        "tfds_adni/volumes/slices.py",
        "columns[:, ::-1].T",
        "columns.T",
        tests_of("slices.py"),
    ),
    Mutation(
        "left and right of a slice",
        "tfds_adni/volumes/slices.py",
        'section[::-1] if axis == _AXIS["sagittal"] else section',
        "section[::-1]",
        tests_of("slices.py"),
    ),
    Mutation(
        "axes of the planes",
        "tfds_adni/volumes/slices.py",
        '{"sagittal": 0, "coronal": 1, "axial": 2}',
        '{"sagittal": 1, "coronal": 0, "axial": 2}',
        tests_of("slices.py"),
    ),
    Mutation(
        "sign of position_mm",
        "tfds_adni/volumes/slices.py",
        "position_mm=(position - brain.centre[axis]) * spacing",
        "position_mm=(brain.centre[axis] - position) * spacing",
        tests_of("slices.py"),
    ),
    Mutation(
        "share of the subjects held out",
        "tfds_adni/cohort/splits.py",
        "HELD_OUT = 0.15",
        "HELD_OUT = 0.10",
        tests_of("splits.py"),
    ),
    Mutation(
        "seed of the split",
        "tfds_adni/cohort/splits.py",
        'f"{seed}:{subject}"',
        'f"{subject}"',
        tests_of("splits.py"),
    ),
    Mutation(
        "hash of the split",
        "tfds_adni/cohort/splits.py",
        "hashlib.sha256(",
        "hashlib.sha512(",
        tests_of("splits.py"),
    ),
    Mutation(
        "earliest visit",
        "tfds_adni/cohort/visits.py",
        "in_order = sorted(visits, key=order)",
        "in_order = sorted(visits, key=order, reverse=True)",
        tests_of("visits.py", "cohort.py"),
    ),
    Mutation(
        "stage of a group",
        "tfds_adni/tables/stages.py",
        '    "MCI": (',
        '    "AD ": (',
        tests_of("stages.py"),
    ),
    Mutation(
        "mean inside the brain",
        "tfds_adni/volumes/brain.py",
        "values = data[grid.places][found.tissue]",
        "values = data[grid.places].ravel()",
        tests_of("brain.py", "normalisation.py"),
    ),
    Mutation(
        "guard: splits share no subject",
        "tfds_adni/adni_dataset_builder.py",
        "            require_disjoint_splits(self.report.written)",
        "            pass",
        tests_of(
            "adni_dataset_builder.py::test_examples_of_a_subject_in_two_splits_are_refused"
        ),
    ),
    Mutation(
        "guard: none trained on is held out",
        "pet_dcgan/data/training_data.py",
        "    require_not_held_out(slices.subjects, config.data_dir, "
        "config.dataset)",
        "    pass",
        tests_of("training_data.py"),
    ),
    Mutation(
        "guard: none judged was trained on",
        "pet_dcgan/evaluation/images.py",
        "    require_disjoint([*run.subjects, *run.validation], "
        "slices.subjects)",
        "    pass",
        tests_of(
            "evaluation_images.py::test_held_out_subject_that_was_trained_on_is_named"
        ),
    ),
    Mutation(
        "guard: none who chose was trained on",
        "pet_dcgan/evaluation/images.py",
        "    require_disjoint(run.subjects, subjects_of(**split))",
        "    pass",
        tests_of(
            "evaluation_images.py::test_validation_subject_that_was_trained_on_is_named"
        ),
    ),
    Mutation(
        "sign of the generator's loss",
        "pet_dcgan/models/losses.py",
        "tf.nn.softplus(-fake_logits)",
        "-tf.nn.softplus(fake_logits)",
        tests_of("losses.py"),
    ),
    Mutation(
        "label of generated images",
        "pet_dcgan/models/losses.py",
        "return real + tf.reduce_mean(tf.nn.softplus(fake_logits))",
        "return real + tf.reduce_mean(tf.nn.softplus(-fake_logits))",
        tests_of("losses.py"),
    ),
    Mutation(
        "share of the average kept",
        "pet_dcgan/models/optimization.py",
        "rest = 1.0 - decay",
        "rest = 1.0 * decay",
        tests_of("optimization.py"),
    ),
    Mutation(
        "start of the average",
        "pet_dcgan/models/optimization.py",
        "(1.0 + step) / (10.0 + step)",
        "(1.0 + step) / (100.0 + step)",
        tests_of("optimization.py"),
    ),
    Mutation(
        "latents of a step",
        "pet_dcgan/models/sampling.py",
        "tf.cast(step, tf.int64),",
        "tf.cast(step // 2, tf.int64),",
        tests_of("sampling.py"),
    ),
    Mutation(
        "latents of a seed",
        "pet_dcgan/models/sampling.py",
        "seed=tf.stack([seed, tf.zeros_like(seed)])",
        "seed=tf.stack([seed, tf.ones_like(seed)])",
        tests_of("sampling.py"),
    ),
    Mutation(
        "latents of a client not clipped",
        "pet_dcgan/models/sampling.py",
        "tf.clip_by_value(finite, -1.0, 1.0)",
        "tf.clip_by_value(finite, -2.0, 2.0)",
        tests_of("sampling.py"),
    ),
    Mutation(
        "order of an epoch's slices",
        "pet_dcgan/data/slice_order.py",
        "tf.stack([tf.constant(self.seed, tf.int64), epoch])",
        "tf.stack([tf.constant(self.seed, tf.int64), 0 * epoch])",
        tests_of("batches.py"),
    ),
    Mutation(
        "optimiser's steps in a checkpoint",
        "pet_dcgan/training/checkpoint.py",
        "        variable.assign(arrays[name])",
        '        "optimizer_0" in name or variable.assign(arrays[name])',
        tests_of("checkpoint.py"),
    ),
    Mutation(
        "epoch that a run resumes at",
        "pet_dcgan/training/checkpoint.py",
        "done = epoch + 1",
        "done = epoch + 2",
        tests_of("checkpoint.py"),
    ),
    Mutation(
        "pairs of one subject in KID",
        "pet_dcgan/metrics/kernel_sums.py",
        "    np.fill_diagonal(sums, 0.0)\n",
        "",
        tests_of("distribution.py"),
    ),
    Mutation(
        "balls that a subject's own slices fill",
        "pet_dcgan/metrics/neighbors.py",
        "distances[codes[:, None] == codes] = np.inf",
        "np.fill_diagonal(distances, np.inf)",
        tests_of("distribution.py"),
    ),
    Mutation(
        "a permutation of slices, not of subjects",
        "pet_dcgan/metrics/significance.py",
        "np.concatenate([codes, first + owners])",
        "np.arange(len(both))",
        tests_of("significance.py"),
    ),
    Mutation(
        "constant of SSIM",
        "pet_dcgan/metrics/image_quality.py",
        "(0.03 * dynamic_range) ** 2",
        "(0.02 * dynamic_range) ** 2",
        tests_of("image_quality.py"),
    ),
    Mutation(
        "how near a suspect is",
        "pet_dcgan/metrics/copy_search.py",
        "SUSPECT_RATIO = 0.5",
        "SUSPECT_RATIO = 0.55",
        tests_of("copy_search.py"),
    ),
    Mutation(
        "how near a certain copy is",
        "pet_dcgan/metrics/copy_search.py",
        "CERTAIN_RATIO = 0.3",
        "CERTAIN_RATIO = 0.25",
        tests_of("memorization.py"),
    ),
    Mutation(
        "export of NaN",
        "pet_dcgan/models/saved_model.py",
        "if not np.isfinite(variable.numpy()).all():",
        "if np.isnan(0.0):",
        tests_of("saved_model.py"),
    ),
    Mutation(
        "rows of a request",
        "pet_dcgan/models/signature_parts.py",
        "shape[:1] <= max_rows",
        "shape[:1] <= max_rows + 1",
        tests_of("serving_contract.py"),
    ),
    Mutation(
        "columns of images.csv",
        "pet_dcgan/serving/image_request.py",
        '    "suvr_max",\n    "spacing_mm",\n',
        '    "spacing_mm",\n    "suvr_max",\n',
        tests_of("generate.py"),
    ),
    *READINGS,
    *JUDGEMENTS,
    *PHANTOMS,
)


def main() -> int:
    """Asks of each mutation whether the tests notice it."""
    options = _options()
    chosen = [m for m in MUTATIONS if options.only in m.name]
    if not chosen:
        names = "\n  ".join(m.name for m in MUTATIONS)
        sys.exit(f"expected --only to be part of one of\n  {names}")
    for mutation in chosen:
        mutated(mutation)
    if options.control:
        _require_clean(chosen)
    rows = []
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for mutation, first in zip(
            chosen, pool.map(first_failure, chosen), strict=True
        ):
            rows.append(_row(mutation, first))
            print(*rows[-1].values(), sep=": ", file=sys.stderr, flush=True)
    reporting.print_table(rows)
    return int(any(row["noticed"] == "no" for row in rows))


def _row(mutation, first):
    return {
        "mutation": mutation.name,
        "noticed": "yes" if first else "no",
        "first failing test": first.removeprefix("tests/"),
    }


def _options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--workers", type=int, default=1, help="at a time")
    parser.add_argument(
        "--no-control",
        dest="control",
        action="store_false",
        help="leave out the run without a mutation",
    )
    return parser.parse_args()


def mutated(mutation):
    """The text of a mutation's file with the mutation.

    Raises:
        SystemExit: If the text to be replaced is not there exactly once.
    """
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    count = text.count(mutation.old)
    if count != 1:
        sys.exit(
            f"{mutation.name}: expected once in {mutation.file}, found "
            f"{count} times: {mutation.old!r}"
        )
    return text.replace(mutation.old, mutation.new)


def first_failure(mutation):
    """The first test that fails with a mutation; none gives no text."""
    changed = {mutation.file: mutated(mutation)}
    return run_tests(mutation.tests, changed)


def run_tests(tests, changed):
    """Runs tests on a copy of the tree, in which some files are others.

    Args:
        tests: Files of tests, or single ones.
        changed: New text by file.

    Returns:
        The first that fails, or no text.

    Raises:
        RuntimeError: If pytest finds no test, or cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="mutation_") as folder:
        copy = Path(folder)
        _copy_tree(copy)
        for file, text in changed.items():
            (copy / file).write_text(text, encoding="utf-8")
        done = _pytest(copy, tests)
    if done.returncode == _PASSED:
        return ""
    found = _FIRST.search(done.stdout)
    if done.returncode not in (_FAILED, _BROKEN) or not found:
        raise RuntimeError(f"{tests}:\n{done.stdout[-2000:]}{done.stderr}")
    return found[1]


def _pytest(copy, tests):
    paths = os.pathsep.join([str(copy), str(copy / "tests")])
    options = ["-x", "-q", "-rfE", "-m", "not slow", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _copy_tree(target):
    for name in COPIED:
        if (ROOT / name).is_dir():
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, target / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, target / name)


def _require_clean(mutations):
    """Refuses tests that fail by themselves."""
    tests = sorted({test for m in mutations for test in m.tests})
    first = run_tests(tests, {})
    if first:
        sys.exit(f"expected tests that pass without a mutation, found {first}")


if __name__ == "__main__":
    sys.exit(main())
