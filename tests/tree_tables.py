"""Tables of random trees, in the forms people have them."""

import csv
import io
from datetime import date
from pathlib import Path

from tree_truth import Exam

HEADER = {
    "Image Data ID": "image_id",
    "Subject": "subject",
    "Group": "group",
    "Sex": "sex",
    "Age": "age",
    "Visit": "visit",
    "Modality": "modality",
    "Description": "description",
    "Type": "type",
    "Acq Date": "date",
    "Format": "format",
    "Downloaded": "downloaded",
}
_CODES = {
    "DXCURREN": {"NC": "1", "MCI": "2", "AD": "3"},
    "DXCHANGE": {"NC": "179", "MCI": "248", "AD": "356"},
    "DIAGNOSIS": {"NC": "1", "MCI": "2", "AD": "3"},
}
_PHASES = {"DXCURREN": "ADNI1", "DXCHANGE": "ADNI2", "DIAGNOSIS": "ADNI3"}
_WORDS = {"NC": "CN", "MCI": "MCI", "AD": "Dementia"}
_MISSING = ("-4", "", "-4.0")


def us_date(iso: str) -> str:
    """5/5/2012 for 2012-05-05."""
    day = date.fromisoformat(iso)
    return f"{day.month}/{day.day}/{day.year}"


def write_csv(path: Path, rows: list[dict], rng, *, bom: bool = False) -> None:
    """Writes rows with their columns in any order."""
    columns = list(rows[0]) if rows else list(HEADER)
    rng.shuffle(columns)
    text = io.StringIO()
    quoting = rng.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    writer = csv.DictWriter(text, columns, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), "utf-8-sig" if bom else "utf-8")


def collection_row(rng, cells: dict[str, str]) -> dict[str, str]:
    """A row of the collection CSV, ids and dates as the export had them."""
    row = {name: cells.get(key, "") for name, key in HEADER.items()}
    row["Image Data ID"] = rng.choice(("I", "")) + cells["image_id"]
    if row["Acq Date"] and rng.random() < 0.7:
        row["Acq Date"] = us_date(row["Acq Date"])
    return row


def dxsum(rng, exams) -> list[dict[str, str]]:
    """Rows of DXSUM: one coding a phase, the others empty or -4."""
    with_ptid = rng.random() < 0.6
    rows = []
    for number, exam in enumerate(exams):
        coding = rng.choice(tuple(_CODES))
        row = {name: rng.choice(("-4", "")) for name in _CODES}
        code = rng.choice(_CODES[coding].get(exam.stage, _MISSING))
        row[coding] = code + rng.choice(("", ".0")) if exam.stage else code
        row |= {
            "Phase": _PHASES[coding],
            "RID": str(int(exam.subject[6:])),
            "VISCODE": f"x{number}",
            "VISCODE2": f"y{number}",
            "EXAMDATE": _either_date(rng, exam.date),
        }
        rows.append(row | ({"PTID": exam.subject} if with_ptid else {}))
    return rows


def dxsum_of_one_coding(rng, exams, coding: str) -> list[dict[str, str]]:
    """Rows of a DXSUM that has one of the three columns only."""
    keep = {"RID", "PTID", "VISCODE", "EXAMDATE", coding}
    rows = []
    for row, exam in zip(dxsum(rng, exams), exams, strict=True):
        codes = _CODES[coding].get(exam.stage, _MISSING)
        row |= {coding: rng.choice(codes), "PTID": exam.subject}
        rows.append({k: v for k, v in row.items() if k in keep})
    return rows


def adnimerge(rng, exams) -> list[dict[str, str]]:
    """Rows of ADNIMERGE; DX_bl is another stage on purpose."""
    return [
        {
            "RID": str(int(exam.subject[6:])),
            "PTID": exam.subject,
            "VISCODE": f"y{number}",
            "SITE": "999",
            "COLPROT": "ADNI2",
            "EXAMDATE": exam.date,
            "DX_bl": exam.enrolled,
            "AGE": "71.2",
            "FDG": "1.2",
            "IMAGEUID": "123456",
            "DX": _WORDS.get(exam.stage, ""),
        }
        for number, exam in enumerate(exams)
    ]


def qc(rng, scans, kind: str) -> list[dict[str, str]]:
    """Rows of PETQC or PETC3 for every scan."""
    rows = []
    for scan in scans:
        row = {
            "RID": str(int(scan.subject[6:])),
            "VISCODE": scan.visit,
            "EXAMDATE": scan.date,
        }
        if kind == "PETQC":
            row["LONIUID"] = rng.choice(("I", "")) + scan.image_id
            row["PASS"] = str(int(scan.passed))
        else:
            row["SCANQLTY"] = "1" if scan.passed else "2"
        rows.append(row)
    return rows


def _either_date(rng, iso: str) -> str:
    return us_date(iso) if iso and rng.random() < 0.3 else iso


def write_options(tree, rng) -> None:
    """Writes the tables the selection names, inside the tree or beside it."""
    for option in ("diagnosis", "qc"):
        paths = []
        for kind in tree.selection[option]:
            folder = rng.choice((tree.folder, tree.folder.parent / "tables"))
            suffix = rng.choice(("", "_12Oct2023", "_PDXCONV_ADNIALL"))
            paths.append(folder / f"{kind}{suffix}.csv")
            write_csv(paths[-1], _rows_of(tree, rng, kind), rng)
        tree.selection[option] = tuple(paths)


def _rows_of(tree, rng, kind: str) -> list[dict[str, str]]:
    """Returns the rows of a table, and one of a subject without scans."""
    if kind in ("PETQC", "PETC3"):
        scans = [s for s in tree.scans if s.passed is not None]
        return qc(rng, scans, kind)
    exams = [exam for exam in tree.exams if exam.table == kind]
    exams.append(
        Exam(table=kind, subject="999_S_9777", date="2012-01-01", stage="AD")
    )
    if kind == "ADNIMERGE":
        return adnimerge(rng, exams)
    coding = rng.choice((None, *_CODES))
    if coding:
        return dxsum_of_one_coding(rng, exams, coding)
    return dxsum(rng, exams)
