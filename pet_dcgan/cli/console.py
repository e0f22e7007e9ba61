"""What the command line says: errors in one line, tables, progress."""

import contextlib
import functools
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pet_dcgan.config import STAGES
from pet_dcgan.evaluation.report_rows import metric_rows
from pet_dcgan.utils.progress import progress

__all__ = [
    "keras_verbosity",
    "print_cohort",
    "print_metrics",
    "print_table",
    "progress",
    "reported",
    "start_tensorflow",
]

_MOST_REASONS = 20
STOPPED = 130
FAILED = 1
_STOPPED_LINE = (
    "stopped by Ctrl-C; what was whole is kept, what was not is removed; a "
    "training goes on with --resume"
)
_FULL_LINE = (
    "expected room on the disk, found none{place}; free some and run it "
    "again; nothing half-written was kept"
)
# Set to see where an error came from.
TRACEBACK_VARIABLE = "PET_DCGAN_TRACEBACK"


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Sends file descriptor 2 nowhere, which C++ writes to directly."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def start_tensorflow(*, gpu: bool = True) -> None:
    """Imports TensorFlow without its greeting, which looks like errors.

    Args:
        gpu: Whether the command trains; one that does not leaves the GPU's
            memory to others.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # memory as it is needed; else the first process takes all of a GPU's
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if not gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with _silent_stderr():
        importlib.import_module("tensorflow")


def reported(command: Callable) -> Callable:
    """Wraps a command: what goes wrong is one line and an exit code.

    Args:
        command: A function that typer calls.

    Returns:
        The function; it exits with 130 on Ctrl-C and with 1 on anything else
        that is raised.
    """

    @functools.wraps(command)
    def wrapper(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.BadParameter):
            raise
        except KeyboardInterrupt:
            _leave(_STOPPED_LINE, STOPPED)
        # The command line is the one place where nothing may fly past: a
        # traceback tells its reader nothing.
        except Exception as error:
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            _leave(_worded(error), FAILED)

    return wrapper


def _worded(error: Exception) -> str:
    """Returns an error as one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "No space left on device" in text:
        place = getattr(error, "filename", None)
        return _FULL_LINE.format(place=f" ({place})" if place else "")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}; nothing was changed"
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
    print(f"pet-dcgan: {line}", file=sys.stderr)
    raise typer.Exit(code)


def keras_verbosity() -> int:
    """Returns 1, a bar, on a terminal and 2, a line an epoch, in a log."""
    return 1 if sys.stdout.isatty() else 2


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
        # Text, so that brackets in a file's own words are no markup.
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def print_cohort(cohort: Any) -> None:
    """Prints what is used and what is not, by stage, and what to know of it.

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
    # Above the table, not as its title, which would be as narrow.
    print(
        f"{name}: {found} found, {used} used, {found - used} skipped "
        f"(files: {files})"
    )
    columns = ["", *stages, "no stage", "all"]
    print_table("", columns, _folded(rows, _MOST_REASONS))
    for warning in cohort.warnings:
        print(f"warning: {warning}")


def _folded(rows: list[list], most: int) -> list[list]:
    """Sums up the rows that would make a table too long to be read."""
    if len(rows) <= most:
        return rows
    rest = rows[most - 1 :]
    sums = [sum(column) for column in zip(*(r[1:] for r in rest), strict=True)]
    what = f"{len(rest)} other reasons (scan --csv tells them)"
    return [*rows[: most - 1], [what, *sums]]


def print_metrics(metrics: dict[str, dict]) -> None:
    """Prints the numbers of several stages, real beside synthetic.

    Args:
        metrics: What `evaluate` returned, by stage.
    """
    phantom_only = any(m["phantom"] for m in metrics.values())
    title = "PSNR and SSIM (the paper's formulas) on held-out subjects"
    print_table(
        title + (", PHANTOM data" if phantom_only else ""),
        *metric_rows(metrics),
    )
