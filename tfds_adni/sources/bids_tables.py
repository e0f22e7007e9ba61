"""The tables of BIDS data sets: participants.tsv and sub-*_sessions.tsv.

The columns are those of Clinica's conversions (ADNI: `diagnosis` by session,
`diagnosis_sc` at screening; OASIS-3: `dx1`, the first diagnosis of a visit)
and of data sets on OpenNeuro, most of which say `group`.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfds_adni.sources.record import Label, subject_in, subject_of_label
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, age_in_years, sex_letter
from tfds_adni.tables.dates import read_columns, row_date
from tfds_adni.tables.spreadsheet import SheetError, read_rows
from tfds_adni.tables.stages import is_smc, stage_of_group

_DIAGNOSES = (
    *("diagnosis", "diagnosis_sc", "diagnosis_bl", "dx", "dx1"),
    *("diagnosis_group", "clinical_diagnosis", "clinical_status"),
    *("research_group", "group"),
)
_AGES = ("age", "age_bl")
_SEXES = ("sex", "gender")
_DATES = ("examination_date", "acq_time")
_MISSING = ("n/a", "na", "nan", "none", "-4")
_FIRST_SESSIONS = re.compile(r"M?0*|0*1|bl|baseline", re.IGNORECASE)
# Scope, subject and session; the session is `None` in participants.tsv.
_Key = tuple[Path | None, str, str | None]
_Row = dict[str, str]


class Tables:
    """The first row of each subject and session in the tables of a folder.

    Args:
        tree: The files of the folder.
        date_order: As in `Selection`.

    Attributes:
        notes: Warnings about their dates, a line each.
    """

    def __init__(self, tree: Tree, *, date_order: str = "") -> None:
        self._rows: dict[_Key, _Row] = {}
        for path in tree.files_ending("participants.tsv", "sessions.tsv"):
            with contextlib.suppress(SheetError):  # rows before the damage
                for key, row in _rows_of(path):
                    self._rows.setdefault(key, row)
        rows = self._rows.values()
        # one column, however many files it is spread over
        self._dates = read_columns(
            rows, _DATES, "sessions.tsv", order=date_order
        )
        self.notes = [n for c in self._dates.values() for n in c.notes]

    def facts(self, image: Path, subject: str, session: str) -> dict:
        """Returns what the tables say of a scan, as arguments of a record.

        Args:
            image: Its file; tables hold for the folders around it.
            subject: Subject id.
            session: Label of the session, `""` where there is none.
        """
        scopes = [_scope(subject, folder) for folder in image.parents]
        visit, person = (
            next(
                (
                    self._rows[k]
                    for s in scopes
                    if (k := (s, subject, at)) in self._rows
                ),
                {},
            )
            for at in (session, None)
        )
        age = age_in_years(_cell(visit, _AGES))
        # participants.tsv has the age at the first session.
        if age < 0 and _FIRST_SESSIONS.fullmatch(session):
            age = age_in_years(_cell(person, _AGES))
        date = row_date(visit, self._dates)
        sexes = (sex_letter(_cell(row, _SEXES)) for row in (visit, person))
        return {
            "date": date.isoformat() if date else "",
            "labels": _labels(visit, "sessions.tsv")
            + _labels(person, "participants.tsv"),
            "age": age,
            "sex": next(filter(None, sexes), ""),
        }


def _labels(row: _Row, source: str) -> tuple[Label, ...]:
    """Returns the first cell that names a stage, else all of the groups."""
    labels = tuple(Label(cell, source) for cell in _cells(row, _DIAGNOSES))
    known = (n for n in labels if stage_of_group(n.text) or is_smc(n.text))
    return next(((label,) for label in known), labels)


def _rows_of(path: Path) -> Iterator[tuple[_Key, _Row]]:
    """Yields the rows of a table that name a subject."""
    folder = path.parent  # of the data set or of one subject
    folder = folder.parent if folder.name.startswith("sub-") else folder
    session = None
    for cells in read_rows(path):
        row = {_column(name): cell for name, cell in cells.items()}
        label = _cell(row, ("participant_id",))
        subject = subject_of_label(label) if label else subject_in([path.name])
        if path.name.lower().endswith("sessions.tsv"):
            session = _cell(row, ("session_id",)).removeprefix("ses-")
        if subject:
            yield (_scope(subject, folder), subject, session), row


def _column(name: str) -> str:
    """Returns a column's name in small letters, `_` for blanks."""
    return name.lower().replace(" ", "_")


def _scope(subject: str, folder: Path) -> Path | None:
    """Returns the folder that a subject's id is valid in, `None` for all.

    A subject of ADNI is the same person in every table. Other labels, such as
    `sub-01`, hold only in the data set of their table and its derivatives:
    data sets side by side give them to several people.
    """
    return None if SUBJECT_PATTERN.fullmatch(subject) else folder


def _cells(row: _Row, names: Sequence[str]) -> list[str]:
    """Returns the cells of some columns that are not missing."""
    cells = (row.get(name, "") for name in names)
    return [cell for cell in cells if cell and cell.lower() not in _MISSING]


def _cell(row: _Row, names: Sequence[str]) -> str:
    """Returns the first of these cells, `""` where there is none."""
    return next(iter(_cells(row, names)), "")
