"""What the command line prints: errors in one line, tables, progress."""

import atexit
import errno
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pet_dcgan.cli.streams import Streams
from pet_dcgan.config import STAGES
from pet_dcgan.references import NATIVE
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.progress import progress as progress
from pet_dcgan.utils.progress import status as status
from pet_dcgan.utils.tensorflow_start import (
    start_tensorflow as start_tensorflow,
)

_MAX_REASONS = 20
STOPPED = 130
FAILED = 1
_UNPRINTED_LINE = (
    "standard output could not be written ({reason}): what was to be printed "
    "there is lost; the work itself is done"
)
_STOPPED_LINE = (
    "stopped by Ctrl-C; complete results are kept, partial ones removed; "
    "--resume continues a training"
)
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
}
_FULL_REMEDY = "free some space and run it again, train and study with --resume"
_REMEDIES = {
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "choose a place that can be written",
    errno.ENOTDIR: "a file is in its place, choose another",
    errno.EEXIST: "choose another place, or remove it",
    errno.EFBIG: "the file system or ulimit -f allows no larger file",
    errno.EMFILE: "raise ulimit -n",
    errno.ENFILE: "close other programs",
    errno.ENAMETOOLONG: "choose a shorter one",
}
_MOST_CHARACTERS = 4000  # of an error
# by their counts in the metadata of a prepared set
_SCAN_WARNINGS = {
    "skipped_for_their_pixels": "{count} more scans were skipped on being "
    "read; scans.csv says why",
    "with_noise_above_10_percent": "{count} scans have noise of more than 10 % "
    "from voxel to voxel, which stays in their {kind}: smooth all scans to one "
    "resolution first, or a generator draws the noise and a classifier reads "
    "the scanner",
    "with_voxels_far_too_bright_or_dark": "in {count} scans voxels far too "
    "bright or too dark for a brain were left out of its mean",
    "with_repaired_voxels": "in {count} scans a few voxels were NaN or Inf and "
    "were replaced by the mean of their neighbours",
    "unlike_the_others": "{count} scans look unlike the others; scans.html "
    "shows them first and says in what",
}
# set it to see where an error came from
TRACEBACK_VARIABLE = "PET_DCGAN_TRACEBACK"


def reported(command: Callable) -> Callable:
    """Decorates a command: any error becomes one line and an exit code.

    Args:
        command: A function that typer calls.

    Returns:
        The function; it exits with 130 on Ctrl-C and with 1 on any other
        exception.
    """

    @functools.wraps(command)
    def wrapper(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.BadParameter):
            raise
        except KeyboardInterrupt:
            _leave(_STOPPED_LINE, STOPPED)
        # anything else would be a traceback, which helps no user
        except Exception as error:
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            _leave(_error_line(error), FAILED)

    return wrapper


def _error_line(error: Exception) -> str:
    """Returns an exception as one line."""
    text = one_line(error, most=_MOST_CHARACTERS) or type(error).__name__
    place = getattr(error, "filename", None)
    for number, words in _FULL.items():
        # TensorFlow has errors of its own, with the system's words
        if os.strerror(number) in text:
            where = f" ({one_line(place, most=1000)})" if place else ""
            return f"{words}{where}: {_FULL_REMEDY}"
    if isinstance(error, OSError) and error.strerror:
        parts = [error.strerror, place, _REMEDIES.get(error.errno)]
        return one_line(": ".join(str(p) for p in parts if p), most=1000)
    known = (ValueError, OSError, ImportError, ArithmeticError)
    if isinstance(error, known):
        return text
    return (
        f"unexpected {type(error).__name__}: {text[:300]}; run again with "
        f"{TRACEBACK_VARIABLE}=1 and report what it prints"
    )


def _leave(line: str, code: int) -> NoReturn:
    """Prints the last line and exits."""
    # TensorFlow would log each operation that was interrupted half-built
    logging.getLogger("tensorflow").disabled = True
    status(line)
    raise typer.Exit(code)


def leave(streams: Streams, code: int) -> NoReturn:
    """Ends the process.

    Args:
        streams: Standard output and error.
        code: 0 becomes 1 where standard output could not be written.
    """
    reason = streams.failure()
    if reason and not code:
        status(_UNPRINTED_LINE.format(reason=reason))
        code = FAILED
    if code and "tensorflow" in sys.modules:
        # Its threads may still compute what was given up, and crash while
        # Python takes down what they use. So the exit functions are called
        # (temporary folders, coverage), and no more than that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def print_table(title: str, columns: list[str], rows: list[list]) -> None:
    """Prints a table, numbers right-aligned.

    Args:
        title: Line above the table.
        columns: Headings; the first column is text.
        rows: Cells, each printed by `str`.
    """
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        # Text, so that brackets from a file are not taken for markup
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def print_cohort(cohort: Any) -> None:
    """Prints what is used and what is skipped by stage, and any warnings.

    Args:
        cohort: A `tfds_adni.cohort.Cohort`.
    """
    stages = list(STAGES)
    rows = [
        [what, *(count[s] for s in stages), count["?"], count.total()]
        for what, count in cohort.summary().items()
    ]
    rows.sort(key=lambda row: (row[0] != "used", -row[-1], row[0]))
    found, used = len(cohort.decisions), len(cohort.used)
    files = sum(len(scan.record.paths) for scan in cohort.decisions)
    name = "Phantom scans (no patients)" if cohort.phantom else "Scans"
    # above the table, since its title would be as narrow as the table
    print(
        f"{name}: {found} found, {used} used, {found - used} skipped "
        f"(files: {files})"
    )
    if len(rows) > _MAX_REASONS:
        kept, rest = rows[: _MAX_REASONS - 1], rows[_MAX_REASONS - 1 :]
        sums = map(sum, zip(*(row[1:] for row in rest), strict=True))
        label = f"{len(rest)} other reasons (scan --csv lists them)"
        rows = [*kept, [label, *sums]]
    print_table("", ["", *stages, "no stage", "all"], rows)
    from tfds_adni.cohort.display import describe_labels

    if labels := describe_labels(cohort.label_sources):
        print(labels)
    for warning in cohort.warnings:
        print(f"warning: {warning}")


def print_prepared(facts: dict[str, Any]) -> None:
    """Prints what a data set holds, and warnings of scans that were read.

    Args:
        facts: Its `metadata.json`.
    """
    from tfds_adni.cohort.counted import counted

    kind = "volumes" if "volumes" in facts else "slices"
    subjects, made = facts["subjects"], facts[kind]
    splits = list(next(iter(subjects.values())))
    rows = []
    for stage in subjects:
        pairs = [(subjects[stage][s], made[stage][s]) for s in splits]
        pairs.append(tuple(map(sum, zip(*pairs, strict=True))))
        rows.append([stage, *(f"{n} / {count}" for n, count in pairs)])
    print(f"Subjects / {kind} by stage and split (seed {facts['split_seed']})")
    print_table("", ["", *splits, "all"], rows)
    for stage, counts in subjects.items():
        empty = [split for split in splits if not counts[split]]
        if empty and any(counts.values()):
            print(f"warning: no {stage} subject in {' and '.join(empty)}")
    for what, words in _SCAN_WARNINGS.items():
        if count := facts["scans"][what]:
            words = words.format(count=count, kind=kind)
            print(f"warning: {counted(words)}")
    if space := facts.get("space"):
        print(_space_line(space, facts.get("spaces_named", {})))


def _space_line(space: str, named: dict[str, int]) -> str:
    """Where volumes lie, and why not in the template that names say."""
    if space != NATIVE:
        return f"space: {space}, all images on one grid"
    line = "space: native, each brain about its own centre"
    # images of one set are of one kind, and so of one label
    labels = ", ".join(f"space-{label}" for label in named if label)
    if not labels:
        return line
    words = one_line(labels, most=200)
    return f"{line} (names say {words}, but that is no template's name in BIDS)"


def print_metrics(metrics: dict[str, dict]) -> None:
    """Prints scores and assessments of several stages.

    Args:
        metrics: Results of `evaluate`, by stage.
    """
    # they import SciPy, for which no other command has to wait
    from pet_dcgan.evaluation.assessment import assessment_lines
    from pet_dcgan.evaluation.report import metric_rows

    title = "Scores on held-out subjects"
    if any(m["phantom"] for m in metrics.values()):
        title += ", PHANTOM data"
    print_table(title, *metric_rows(metrics))
    for each in metrics.values():
        for line in assessment_lines(each):
            print(line)
