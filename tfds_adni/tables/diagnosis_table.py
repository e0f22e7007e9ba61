"""The diagnoses of one table, by subject, and the one nearest to a day."""

import dataclasses
import datetime
from collections.abc import Iterable, Sequence

from tfds_adni.tables.cells import subject_keys


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
        """Gives a subject's rows, in the order of the table."""
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
