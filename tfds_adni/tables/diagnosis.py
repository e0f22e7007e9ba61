"""Diagnoses by subject and date, read from DXSUM or ADNIMERGE.

Either table is recognised by its columns and codes.
"""

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tfds_adni.sources.spreadsheet import Sheet, SheetCache
from tfds_adni.tables.delimited import (
    TableError,
    found_columns,
    is_gap,
    open_table,
    read_table,
    row_subject,
    subject_keys,
    to_code,
    to_date,
    to_visit,
)
from tfds_adni.tables.stages import SMC, is_smc, stage_of_change


@dataclasses.dataclass(frozen=True, slots=True)
class Exam:
    """One row that holds a diagnosis.

    Attributes:
        stage: `"NC"`, `"MCI"` or `"AD"`.
        date: Day of the examination, `None` where the row has none.
        visits: Visit codes of the row as `cells.to_visit` spells them.
    """

    stage: str
    date: datetime.date | None
    visits: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class DiagnosisTable:
    """What one table says of every subject.

    Attributes:
        source: `"DXSUM"` or `"ADNIMERGE"`.
        name: The file's name.
        exams: Rows with a diagnosis by key of the subject (`cells`).
        smc: Keys of subjects enrolled with significant memory concern.
        contradictions: Rows whose columns name two stages.
    """

    source: str
    name: str
    exams: dict[str, list[Exam]]
    smc: frozenset[str] = frozenset()
    contradictions: int = 0

    def of(self, subject: str) -> list[Exam]:
        """Returns a subject's rows, in the order of the table."""
        keys = subject_keys(subject)
        return [exam for key in keys for exam in self.exams.get(key, ())]

    def has_smc(self, subject: str) -> bool:
        """Says whether the table enrols a subject as SMC."""
        return any(key in self.smc for key in subject_keys(subject))


@dataclasses.dataclass(frozen=True)
class Nearest:
    """What the rows of a subject say of a day.

    Attributes:
        stages: The stages of the nearest row; several where rows of one day
            contradict each other, none where no row is near enough.
        days: Distance of the nearest row, `None` where no days can be
            compared.
    """

    stages: tuple[str, ...] = ()
    days: int | None = None


def nearest(
    exams: Sequence[Exam],
    date: datetime.date | None,
    visit: str,
    *,
    most_days: int,
) -> Nearest:
    """Finds the diagnosis nearest to a scan.

    Rows are joined by date; where the row or the scan has none, by visit
    code. Of two rows as far before as after, the earlier one counts.

    Args:
        exams: A subject's rows.
        date: Day of the scan, `None` where unknown.
        visit: Visit code of the scan as `cells.to_visit` spells it.
        most_days: Most days between the two.
    """
    dated = [exam for exam in exams if date and exam.date]
    days = min((abs(exam.date - date).days for exam in dated), default=None)
    if days is not None and days <= most_days:
        near = [e for e in dated if abs(e.date - date).days == days]
        first = min(exam.date for exam in near)
        return Nearest(_stages(e for e in near if e.date == first), days)
    same_visit = [
        exam
        for exam in exams
        if visit and visit in exam.visits and not (date and exam.date)
    ]
    return Nearest(_stages(same_visit), days)


def _stages(exams: Iterable[Exam]) -> tuple[str, ...]:
    return tuple(sorted({exam.stage for exam in exams}))


# ADNI's data dictionary: DXCURREN is of ADNI1, DXCHANGE of ADNIGO and ADNI2,
# DIAGNOSIS of ADNI3 and of newer downloads. A change ends in a stage.
CODES = {
    "DIAGNOSIS": {1: "NC", 2: "MCI", 3: "AD"},
    "DXCHANGE": {
        **dict.fromkeys((1, 7, 9), "NC"),
        **dict.fromkeys((2, 4, 8), "MCI"),
        **dict.fromkeys((3, 5, 6), "AD"),
    },
    "DXCURREN": {1: "NC", 2: "MCI", 3: "AD"},
}
_KEYS = ("RID", "PTID")
_DATES = ("EXAMDATE", "VISDATE")
_VISITS = ("VISCODE2", "VISCODE")
# Groups at enrolment, which no diagnosis at a visit is.
_ENROLMENT = ("EMCI", "LMCI", SMC)
_REMEDY = "give DXSUM or ADNIMERGE, as downloaded from LONI, with --diagnosis"


def read_diagnosis(
    path: Path, *, sheets: SheetCache | None = None
) -> DiagnosisTable:
    """Reads ADNIMERGE or DXSUM.

    Args:
        path: The table under any name.
        sheets: Has the tables that are open already.

    Returns:
        Every row that has a subject and a diagnosis.

    Raises:
        FileNotFoundError: If there is no such file.
        TableError: If it is no table, or one of another kind, such as CLIELG,
            whose DIAGNOSIS has the codes of the groups at enrolment.
    """
    wanted = (*_KEYS, *_DATES, *_VISITS, *CODES, "DX", "DX_BL", "CENROLL")
    sheet = open_table(path, sheets=sheets)
    rows = read_table(sheet, wanted)
    columns = rows[0].keys()
    if not columns & set(_KEYS) or not columns & {*_DATES, *_VISITS}:
        raise _no_diagnoses(sheet)
    if {"DX", "DX_BL"} <= columns:
        smc = frozenset(row_subject(r) for r in rows if is_smc(r["DX_BL"]))
        return DiagnosisTable(
            "ADNIMERGE", path.name, _exams(rows, _stages_of_words), smc
        )
    if not columns & set(CODES):
        raise _no_diagnoses(sheet)
    _require_codes(path, rows)
    several = sum(len(set(_stages_of_codes(row))) > 1 for row in rows)
    exams = _exams(rows, _stages_of_codes)
    return DiagnosisTable("DXSUM", path.name, exams, contradictions=several)


def _exams(
    rows: Iterable[dict[str, str]],
    stages_of: Callable[[dict[str, str]], list[str]],
) -> dict[str, list[Exam]]:
    """Gathers the rows that have a diagnosis by subject."""
    exams: dict[str, list[Exam]] = {}
    for row in rows:
        subject, stages = row_subject(row), stages_of(row)
        if subject and stages:
            dates = (to_date(row.get(name, "")) for name in _DATES)
            visits = (to_visit(row.get(name, "")) for name in _VISITS)
            exam = Exam(
                stages[0],
                next((date for date in dates if date), None),
                tuple(visit for visit in visits if visit),
            )
            exams.setdefault(subject, []).append(exam)
    return exams


def _stages_of_words(row: dict[str, str]) -> list[str]:
    stage = stage_of_change(row["DX"])
    return [stage] if stage else []


def _stages_of_codes(row: dict[str, str]) -> list[str]:
    """Returns the stage of each column that has one, newest column first."""
    stages = (_stage_of_code(column, row.get(column, "")) for column in CODES)
    return [stage for stage in stages if stage]


def _stage_of_code(column: str, cell: str) -> str | None:
    code = to_code(cell)
    return stage_of_change(cell) if code is None else CODES[column].get(code)


def _require_codes(path: Path, rows: list[dict[str, str]]) -> None:
    """Refuses a table whose codes are not those of its columns."""
    for column in CODES:
        cells = {row[column] for row in rows if not is_gap(row.get(column, ""))}
        strange = sorted(
            cell
            for cell in cells
            if cell in _ENROLMENT or not _stage_of_code(column, cell)
        )
        if "CENROLL" in rows[0] or (strange and column == "DIAGNOSIS"):
            found = f"codes {', '.join(strange[:5])}" if strange else "CENROLL"
            raise TableError(
                f"expected DIAGNOSIS with the codes 1 to 3 of DXSUM, found "
                f"{found} in {path}, which tells the group at enrolment, as "
                f"CLIELG does (2 EMCI, 3 LMCI, 5 SMC); {_REMEDY}"
            )
        if strange:
            raise TableError(
                f"expected the codes 1 to {max(CODES[column])} in {column}, "
                f"found {', '.join(strange[:5])} in {path}; {_REMEDY}"
            )


def _no_diagnoses(sheet: Sheet) -> TableError:
    return TableError(
        f"expected RID or PTID, EXAMDATE, and DX with DX_bl (ADNIMERGE) or one "
        f"of {', '.join(CODES)} (DXSUM), found "
        f"{found_columns(sheet.header)} in {sheet.path}; {_REMEDY}"
    )
