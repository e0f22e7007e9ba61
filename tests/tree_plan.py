"""Plans of random trees: options, subjects, visits, scans and exams."""

import dataclasses
import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import tree_files

# One id begins like another, one is padded with zeros.
_ROSTER = ["9001", "9002", "90011", "90012", "0012", "9120", "9121", "1201"]
SUBJECTS = [f"999_S_{number}" for number in _ROSTER]
GROUPS = ("CN", "MCI", "AD", "EMCI", "LMCI", "Normal", "SMC", "Patient", "")
_WEIGHTS = (5, 4, 5, 2, 2, 1, 2, 1, 1)
_LEVELS = [
    *("uniform_8mm", "uniform_6mm", "standardised"),
    *("averaged", "dynamic", "raw"),
]
_VISITS = (
    ("bl", "m12", "m24"),
    ("sc", "m06", "m18"),
    ("v02", "v11", "v21"),
    ("1", "2", "3"),
)


@dataclasses.dataclass(kw_only=True)
class Scan:
    """A scan as planned.

    `faults` are kinds of reason that hold whatever the selection is; `labels`
    pairs of source and text, the most specific first; `copies` lists of files
    that hold the same as `paths`, of all of which one list is used as a whole,
    but none of the files `broken`.
    """

    subject: str
    image_id: str
    visit: str
    date: str
    group: str
    level: str
    tracer: str = "FDG"
    form: str = "nii"
    passed: bool | None = None
    doubtful: bool = False
    labels: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    faults: set[str] = dataclasses.field(default_factory=set)
    paths: list[str] = dataclasses.field(default_factory=list)
    copies: list[list[str]] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Exam:
    """A row of DXSUM or ADNIMERGE; stage "" where it is missing.

    `enrolled` is the group at baseline, which ADNIMERGE repeats in each row.
    """

    table: str
    subject: str
    date: str
    stage: str
    enrolled: str


@dataclasses.dataclass(kw_only=True)
class Tree:
    """A folder as it was written.

    `selection` are keyword arguments of `Selection`; `loose` image files that
    are no scan to use, each with the kind of its reason; `optional` files that
    may be listed, and then are not used; `spare_ids` image ids that no planned
    scan has.
    """

    folder: Path
    selection: dict
    scans: list[Scan] = dataclasses.field(default_factory=list)
    exams: list[Exam] = dataclasses.field(default_factory=list)
    loose: dict[str, str] = dataclasses.field(default_factory=dict)
    optional: set[str] = dataclasses.field(default_factory=set)
    spare_ids: Iterator[int] = dataclasses.field(
        default_factory=lambda: itertools.count(900300)
    )

    def name(self, path: Path) -> str:
        """A path as the account has it."""
        return str(path.relative_to(self.folder))


def plan_selection(rng) -> dict:
    """Options; the names of tables become paths once they are written."""
    levels = [*_LEVELS, "pet_linear", "unknown"]
    rng.shuffle(levels)
    order = rng.choice(({}, {}, {}, {"levels": levels}, {"levels": levels[:3]}))
    return order | {
        "tracer": "AV45" if rng.random() < 0.1 else "FDG",
        "visits": rng.choice(("baseline", "all")),
        "date_order": "mdy",  # a table of few rows may not prove it
        "smc": rng.choice(("drop", "drop", "keep")),
        "label_days": rng.choice((180, 180, 30, 365)),
        "diagnosis": rng.choice(
            ((), (), (), ("DXSUM",), ("ADNIMERGE",), ("ADNIMERGE", "DXSUM"))
        ),
        "qc": rng.choice(((), (), (), (), ("PETQC",), ("PETC3",))),
    }


def plan_scans(rng, visits=_VISITS, levels=_LEVELS) -> list[Scan]:
    """Plans scans of some subjects at visits about a year apart."""
    ids = iter(rng.sample(range(900100, 900200), 60))
    scans = []
    for subject in rng.sample(SUBJECTS, rng.randint(1, 6)):
        group = rng.choices(GROUPS, _WEIGHTS)[0]
        start = date(rng.randint(2006, 2015), rng.randint(1, 12), 15)
        codes = rng.choice(visits)[: rng.choice((1, 1, 2, 3))]
        for year, code in enumerate(codes):
            known = {
                "subject": subject,
                "visit": code,
                "date": shifted(start, 365 * year + rng.randint(-30, 30)),
                "group": group,
                "passed": rng.random() < 0.8,
            }
            for _ in range(rng.choice((1, 1, 2, 3))):
                level, image_id = rng.choice(levels), str(next(ids))
                scan = new_scan(rng, level=level, image_id=image_id, **known)
                if rng.random() < 0.15:
                    scan.form = rng.choice(tuple(tree_files.FAULTY))
                    scan.faults.add("file")
                if rng.random() < 0.2:
                    scan.tracer = rng.choice(("AV45", "PIB", "AV1451", "FBB"))
                scans.append(scan)
    return scans


def new_scan(rng, **known) -> Scan:
    """A sound scan of FDG in some form."""
    return Scan(form=rng.choice(tuple(tree_files.SOUND)), **known)


def plan_exams(tree: Tree, rng) -> None:
    """Plans exams about the scans, at the limit of days and beyond it too."""
    limit = tree.selection["label_days"]
    visits = sorted({(s.subject, s.date) for s in tree.scans if s.date})
    groups = ("CN", "CN", "EMCI", "LMCI", "AD", "SMC")
    offsets = (0, 3, -20, limit, -limit, limit + 1, -limit - 1)
    for table in tree.selection["diagnosis"]:
        enrolled = {subject: rng.choice(groups) for subject, _ in visits}
        for subject, day in visits:
            for stage in (rng.choice(("NC", "MCI", "AD")), ""):
                if rng.random() > (0.85 if stage else 0.2):
                    continue
                when = shifted(date.fromisoformat(day), rng.choice(offsets))
                when = when if rng.random() < 0.95 else ""
                exam = Exam(table, subject, when, stage, enrolled[subject])
                tree.exams.append(exam)
    _drop_ties(tree)


def _drop_ties(tree: Tree) -> None:
    """Leaves no scan as near to one stage as to another."""
    for scan in tree.scans:
        seen: dict[tuple[str, int], Exam] = {}
        for exam in list(tree.exams):
            days = apart(exam.date, scan.date)
            if exam.subject != scan.subject or days is None or not exam.stage:
                continue
            first = seen.setdefault((exam.table, days), exam)
            if first.stage != exam.stage:
                tree.exams.remove(exam)


def shifted(day: date, days: int) -> str:
    """The ISO date so many days later."""
    return (day + timedelta(days=days)).isoformat()


def apart(one: str, other: str) -> int | None:
    """Days between two ISO dates, `None` where one is unknown."""
    if not (one and other):
        return None
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)
