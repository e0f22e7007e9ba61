"""Plans of subjects, visits, scans and exams for random trees."""

from datetime import date, timedelta

import tree_images
from tree_truth import Exam, Scan, apart

# One id begins like another, one is padded with zeros.
SUBJECTS = (
    "999_S_9001",
    "999_S_9002",
    "999_S_90011",
    "999_S_90012",
    "999_S_0012",
    "999_S_9120",
    "999_S_9121",
    "999_S_1201",
)
GROUPS = ("CN", "MCI", "AD", "EMCI", "LMCI", "Normal", "SMC", "Patient", "")
_WEIGHTS = (5, 4, 5, 2, 2, 1, 2, 1, 1)
TRACERS = ("AV45", "PIB", "AV1451", "FBB")
LEVELS = (
    "uniform_8mm",
    "uniform_6mm",
    "standardised",
    "averaged",
    "dynamic",
    "raw",
)
_VISITS = (
    ("bl", "m12", "m24"),
    ("sc", "m06", "m18"),
    ("v02", "v11", "v21"),
    ("1", "2", "3"),
)


def plan_scans(rng, visits=_VISITS, levels=LEVELS) -> list[Scan]:
    """Plans the scans of some subjects."""
    ids = iter(rng.sample(range(900100, 900200), 60))
    scans = []
    for subject in rng.sample(SUBJECTS, rng.randint(1, 6)):
        group = rng.choices(GROUPS, _WEIGHTS)[0]
        for visit, day in _plan_visits(rng, visits):
            passed = rng.random() < 0.8
            for _ in range(rng.choice((1, 1, 2, 3))):
                scans.append(
                    new_scan(
                        rng,
                        subject=subject,
                        image_id=str(next(ids)),
                        visit=visit,
                        date=day,
                        group=group,
                        passed=passed,
                        level=rng.choice(levels),
                    )
                )
    return scans


def new_scan(rng, *, sound: bool = False, **known) -> Scan:
    """A scan of some form, FDG as a rule, at times broken."""
    tracer = rng.choice(TRACERS) if rng.random() < 0.2 else "FDG"
    scan = Scan(**{"tracer": tracer} | known)
    scan.form = rng.choice(tuple(tree_images.SOUND))
    if not sound and rng.random() < 0.15:
        scan.form = rng.choice(tuple(tree_images.FAULTY))
        scan.faults.add("file")
    return scan


def _plan_visits(rng, visits) -> list[tuple[str, str]]:
    """Visit codes with dates about a year apart."""
    start = date(rng.randint(2006, 2015), rng.randint(1, 12), 15)
    codes = rng.choice(visits)[: rng.choice((1, 1, 2, 3))]
    return [
        (code, shifted(start, 365 * year + rng.randint(-30, 30)))
        for year, code in enumerate(codes)
    ]


def shifted(day: date, days: int) -> str:
    """The ISO date so many days later."""
    return (day + timedelta(days=days)).isoformat()


def plan_exams(tree, rng) -> None:
    """Plans exams about the scans, at the limit of days and beyond it too."""
    limit = tree.selection["label_days"]
    visits = {(s.subject, s.date) for s in tree.scans if s.date}
    for table in tree.selection["diagnosis"]:
        groups = ("CN", "CN", "EMCI", "LMCI", "AD", "SMC")
        enrolled = {subject: rng.choice(groups) for subject in SUBJECTS}
        for subject, day in sorted(visits):
            offsets = (0, 3, -20, limit, -limit, limit + 1, -limit - 1)
            for stage in (rng.choice(("NC", "MCI", "AD")), ""):
                if rng.random() < (0.85 if stage else 0.2):
                    when = shifted(date.fromisoformat(day), rng.choice(offsets))
                    tree.exams.append(
                        Exam(
                            table=table,
                            subject=subject,
                            date=when if rng.random() < 0.95 else "",
                            stage=stage,
                            enrolled=enrolled.get(subject, "CN"),
                        )
                    )
    _drop_ties(tree)


def _drop_ties(tree) -> None:
    """Leaves no scan as near to one stage as to another."""
    for scan in tree.scans:
        seen: dict[tuple[str, int], Exam] = {}
        for exam in list(tree.exams):
            if exam.subject != scan.subject or not (exam.date and scan.date):
                continue
            if exam.stage:
                key = exam.table, apart(exam.date, scan.date)
                if seen.setdefault(key, exam).stage != exam.stage:
                    tree.exams.remove(exam)
