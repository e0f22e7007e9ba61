"""The tables of BIDS data sets: participants.tsv and sub-*_sessions.tsv.

The columns are those of Clinica's conversions (ADNI: `diagnosis` by session,
`diagnosis_sc` at screening; OASIS-3: `dx1`, the first diagnosis of a visit)
and of data sets on OpenNeuro, most of which say `group`.
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
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
_SUBJECTS = ("participant_id", "participant", "subject_id", "subject")
_KNOWN = frozenset(
    (*_DIAGNOSES, *_AGES, *_SEXES, *_DATES, *_SUBJECTS, "session_id")
)
_MISSING = ("n/a", "na", "nan", "none", "-4")
_FIRST_SESSIONS = re.compile(r"M?0*|0*1|bl|baseline", re.IGNORECASE)
# Scope, subject and session; the session is `None` in participants.tsv.
_Key = tuple[Path | None, str, str | None]
_Row = dict[str, str]
OTHER_IDS = "lists none of the subjects with images"


class Tables:
    """The first row of each subject and session in the tables of a folder.

    Args:
        tree: The files of the folder.
        subjects: Ids of the subjects that have images. A row of `1` or
            `SUB-01` is that of `sub-01` where it can be no other.
        date_order: As in `Selection`.

    Attributes:
        notes: Warnings about dates and rows of nobody, a line each.
    """

    def __init__(
        self,
        tree: Tree,
        subjects: Collection[str] = (),
        *,
        date_order: str = "",
    ) -> None:
        # Folder of its data set and cells, by the key of a row.
        self._rows: dict[_Key, tuple[Path, _Row]] = {}
        self._tree = tree
        self._subjects = {*subjects}
        self._by_plain = _by_plain(self._subjects)
        self.notes: list[str] = []
        for path in tree.files_ending("participants.tsv", "sessions.tsv"):
            self._add(path)
        sets: dict[Path, list[_Row]] = defaultdict(list)
        for folder, row in self._rows.values():
            sets[folder].append(row)
        # one column, however many files of a data set it is spread over
        self._dates = {
            folder: read_columns(
                rows,
                _DATES,
                self._name(folder, "sessions.tsv"),
                order=date_order,
            )
            for folder, rows in sets.items()
        }
        columns = (c for found in self._dates.values() for c in found.values())
        self.notes += dict.fromkeys(n for c in columns for n in c.notes)

    def _name(self, folder: Path, table: str) -> str:
        """Names a table of a data set, and which one where there may be two."""
        place = "/".join(self._tree.parts(folder))
        return f"{table} of {place}" if place else table

    def _add(self, path: Path) -> None:
        """Adds the rows of a table; the first of each key counts."""
        folder = _home(path)
        rows = []
        with contextlib.suppress(SheetError):  # rows before the damage
            rows.extend(_rows_of(path))
        plain = _by_plain({subject for subject, _, _ in rows})
        nobody = 0
        for subject, session, row in rows:
            own = subject
            if subject not in self._subjects:
                same = self._by_plain.get(_plain(subject), ())
                if len(same) == len(plain[_plain(subject)]) == 1:
                    (own,) = same
                else:
                    nobody += 1
            key = _scope(own, folder), own, session
            self._rows.setdefault(key, (folder, row))
        if nobody == len(rows) > 0 and self._subjects:
            self.notes.append(  # shown in notebooks: no ids
                f"{self._name(folder, path.name)} {OTHER_IDS}: no id of its "
                f"{len(rows)} rows is that of one of {len(self._subjects)} "
                "folders; write both as sub-<label>, with the same labels"
            )

    def facts(self, image: Path, subject: str, session: str) -> dict:
        """Returns what the tables say of a scan, as arguments of a record.

        Args:
            image: Its file; tables hold for the folders around it.
            subject: Subject id.
            session: Label of the session, `""` where there is none.
        """
        scopes = [_scope(subject, folder) for folder in image.parents]
        (folder, visit), (_, person) = (
            next(
                (
                    self._rows[k]
                    for s in scopes
                    if (k := (s, subject, at)) in self._rows
                ),
                (None, {}),
            )
            for at in (session, None)
        )
        age = age_in_years(_cell(visit, _AGES))
        # participants.tsv has the age at the first session.
        if age < 0 and _FIRST_SESSIONS.fullmatch(session):
            age = age_in_years(_cell(person, _AGES))
        date = row_date(visit, self._dates.get(folder, {}))
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


def _home(path: Path) -> Path:
    """Returns the folder of a table's data set, which may be of a subject."""
    folder = path.parent
    return folder.parent if folder.name.startswith("sub-") else folder


def _rows_of(path: Path) -> Iterator[tuple[str, str | None, _Row]]:
    """Yields subject, session and cells of the rows that name a subject."""
    session = None
    for cells in read_rows(path):
        row = {
            column: cell
            for name, cell in cells.items()
            if (column := _column(name)) in _KNOWN
        }
        label = _cell(row, _SUBJECTS)
        subject = subject_of_label(label) if label else subject_in([path.name])
        if path.name.lower().endswith("sessions.tsv"):
            session = _cell(row, ("session_id",)).removeprefix("ses-")
        if subject:
            yield subject, session, row


def _plain(subject: str) -> str:
    """Returns an id in small letters, without zeros in front of its label."""
    label = subject.lower()
    while label.startswith("sub-"):  # of `SUB-01`, too
        label = label[len("sub-") :]
    return label.lstrip("0")


def _by_plain(subjects: Collection[str]) -> dict[str, set[str]]:
    """Returns the ids that are spelled alike."""
    found = defaultdict(set)
    for subject in subjects:
        found[_plain(subject)].add(subject)
    return found


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
