"""The account of a folder: what became of every scan and of every file.

Also how a cohort shows itself in a notebook.
"""

import html
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfds_adni.cohort.decision import ScanDecision
from tfds_adni.cohort.diagnosis import STAGES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "path",
    "subject",
    "image_id",
    "visit",
    "date",
    "tracer",
    "level",
    "stage",
    "label_source",
    "used",
    "reason",
)


def summarise(verdicts: Iterable[ScanDecision]) -> dict[str, Counter]:
    """Counts scans by what became of them, each by stage.

    Returns:
        `{"used" or a reason: Counter of stages ("?" where unknown)}`; of a
        reason what stands before its colon, so that scans can be counted.
    """
    table: dict[str, Counter] = defaultdict(Counter)
    for verdict in verdicts:
        kind = verdict.reason.split(": ", 1)[0]
        table[kind or "used"][verdict.stage or "?"] += 1
    return dict(table)


def account_of(
    verdicts: Iterable[ScanDecision], root: Path | None = None
) -> "pd.DataFrame":
    """Returns one row for every image file found.

    Args:
        verdicts: The scans in order.
        root: The folder that paths are written relative to.

    Returns:
        A table with the columns `COLUMNS`: `used` is bool, the others text.
    """
    # A scan that writes no table does not wait for pandas.
    import pandas as pd

    rows = [
        _row(verdict, path, root)
        for verdict in verdicts
        for path in verdict.record.paths
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(verdict: ScanDecision, path: Path, root: Path | None) -> tuple:
    """Words one row, in the order of `COLUMNS`."""
    record = verdict.record
    return (
        printable(_below(root, path)),
        record.subject,
        printable(record.image_id),
        printable(record.visit),
        record.date,
        printable(verdict.tracer),
        verdict.level,
        verdict.stage,
        verdict.label_source,
        not verdict.reason,
        printable(verdict.reason),
    )


def _below(root: Path | None, path: Path) -> str:
    """Returns a path with slashes, relative to the root where it lies below."""
    if root and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


def printable(text: str) -> str:
    """Returns a text that any file and screen can hold.

    A file's name that is not UTF-8 comes with surrogates, which neither can.
    """
    if text.isascii():
        return text
    return os.fsencode(text).decode("utf-8", "backslashreplace")


if TYPE_CHECKING:
    from tfds_adni.cohort.cohort import Cohort

_NO_PATIENTS = "Phantom: invented brains, no patients."
_CELL = "text-align:{side};padding:.15em .8em .15em 0"


def cohort_card(cohort: "Cohort") -> str:
    """What is used and what is not, by stage, and what to know of it.

    No subject is listed. Every text is escaped: the words of tables and file
    names are users' data.

    Args:
        cohort: The account of a folder.

    Returns:
        HTML of one `div`.
    """
    found, used = len(cohort.verdicts), len(cohort.used)
    counts = sorted(
        cohort.summary().items(),
        key=lambda item: (item[0] != "used", -item[1].total(), item[0]),
    )
    rows = [
        (what, *(count[s] for s in (*STAGES, "?")), count.total())
        for what, count in counts
    ]
    mark = f"<p><b>{_NO_PATIENTS}</b></p>" if cohort.phantom else ""
    warnings = "".join(f"<li>{html.escape(w)}</li>" for w in cohort.warnings)
    return (
        '<div class="tfds-adni"><p style="font-weight:bold">Scans: '
        f"{found} found, {used} used, {found - used} skipped</p>{mark}"
        f"{_table(('', *STAGES, 'no stage', 'all'), rows)}"
        f"{f'<ul>{warnings}</ul>' if warnings else ''}</div>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return (
        f"<table><thead><tr>{_cells('th', columns)}</tr></thead>"
        f"<tbody>{lines}</tbody></table>"
    )


def _cells(kind: str, texts: Sequence[object]) -> str:
    """The cells of one row; those behind the first stand on the right."""
    sides = ["left"] + ["right"] * (len(texts) - 1)
    return "".join(
        f'<{kind} style="{_CELL.format(side=side)}">{html.escape(str(text))}'
        f"</{kind}>"
        for side, text in zip(sides, texts, strict=True)
    )
