"""The tables of a BIDS data set: who was scanned, and at which sessions.

`participants.tsv` has a row for each subject, `sub-*_sessions.tsv` one for each
session. The columns are those of Clinica's conversion of ADNI, with the names
that other data sets give the same things.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tfds_adni.sources.names import subject_in, subject_of_label
from tfds_adni.sources.record import SUBJECT_PATTERN, Label
from tfds_adni.sources.spreadsheet import (
    SheetError,
    age_in_years,
    iso_date,
    known,
    read_rows,
    sex_letter,
)
from tfds_adni.sources.tree import Tree, names_of

_DIAGNOSES = ("diagnosis", "diagnosis_sc", "diagnosis_bl", "dx", "group")
_AGES = ("age", "age_bl")
_DATES = ("examination_date", "acq_time")
_FIRST_SESSIONS = re.compile(r"M?0*|0*1|bl|baseline", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """A row of participants.tsv, or one of sessions.tsv, as far as it goes.

    Attributes:
        age: Years, -1 where unknown.
        sex: `F`, `M` or `""`.
        date: ISO or `""`.
        labels: The diagnosis, none where the cell is empty.
    """

    age: float = -1.0
    sex: str = ""
    date: str = ""
    labels: tuple[Label, ...] = ()


class Participants:
    """What the tables of a data set say of a subject's sessions.

    A subject of ADNI is the same person in every table of the folder. Other
    labels, such as `sub-01`, count in the data set of their table and its
    derivatives alone: data sets side by side give them to several people.

    Args:
        tree: What lies in the folder.
    """

    def __init__(self, tree: Tree) -> None:
        self._people: dict[tuple, Person] = {}
        self._sessions: dict[tuple, Person] = {}
        for path in names_of(tree, "participants.tsv"):
            for subject, row in _rows(path):
                key = (_realm(subject, _data_set(path)), subject)
                self._people.setdefault(key, _read(row, "participants.tsv"))
        for path in names_of(tree, "sessions.tsv"):
            for subject, row in _rows(path):
                session = _cell(row, "session_id").removeprefix("ses-")
                key = (_realm(subject, _data_set(path)), subject, session)
                self._sessions.setdefault(key, _read(row, "sessions.tsv"))

    def at(self, subject: str, session: str, path: Path) -> Person:
        """Joins what is known of a subject at a session.

        Args:
            subject: Subject id as records have it.
            session: Label of the session, without `ses-`.
            path: Where the image lies.
        """
        realms = dict.fromkeys(_realm(subject, p) for p in path.parents)
        person = _first(self._people, ((r, subject) for r in realms))
        then = _first(self._sessions, ((r, subject, session) for r in realms))
        # participants.tsv has the age at the first session.
        first = _FIRST_SESSIONS.fullmatch(session)
        age = then.age if then.age > 0 else person.age if first else -1.0
        return Person(
            age=age,
            sex=then.sex or person.sex,
            date=then.date,
            labels=then.labels + person.labels,
        )


def _data_set(path: Path) -> Path:
    """Returns the folder of a table's data set, above the subject's own."""
    folder = path.parent
    return folder.parent if folder.name.startswith("sub-") else folder


def _realm(subject: str, folder: Path) -> Path | None:
    """Returns the folder that a subject's id counts in, `None` for all."""
    return None if SUBJECT_PATTERN.fullmatch(subject) else folder


def _first(table: dict[tuple, Person], keys: Iterable[tuple]) -> Person:
    """Returns the first entry there is."""
    return next((table[key] for key in keys if key in table), Person())


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields the rows of a table with their subjects; none where broken."""
    try:
        for cells in read_rows(path):
            row = {name.lower(): cell for name, cell in cells.items()}
            label = _cell(row, "participant_id")
            subject = subject_of_label(label) if label else ""
            if subject := subject or subject_in([path.name]):
                yield subject, row
    except SheetError:
        return


def _read(row: dict[str, str], source: str) -> Person:
    """Reads one row."""
    text = _cell(row, *_DIAGNOSES)
    return Person(
        age=age_in_years(_cell(row, *_AGES)),
        sex=sex_letter(_cell(row, "sex", "gender")),
        date=iso_date(_cell(row, *_DATES)),
        labels=(Label(text, source),) if text else (),
    )


def _cell(row: dict[str, str], *names: str) -> str:
    """Returns the first cell that is known of some columns."""
    return next((v for n in names if (v := known(row.get(n, "")))), "")
