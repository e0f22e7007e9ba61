"""A folder of ADNI and its tables, as `pet-dcgan scan` takes them."""

from pathlib import Path
from random import Random

import adni_tables
import ida_tree
import tree_files

from fuzzing.folders import look
from fuzzing.plan import Files
from fuzzing.spreadsheets import damaged_table
from tfds_adni import Selection

_SUBJECTS = 4
_TABLES = {
    "diagnosis": ("DXSUM.csv", "ADNIMERGE.csv"),
    "qc": ("PETQC.csv", "PETC3.csv"),
}


def prepare(base: Path) -> None:
    groups = ("CN", "MCI", "AD", "LMCI")
    rows = [ida_tree.row(n, groups[n]) for n in range(_SUBJECTS)]
    ida_tree.write_csv(base, rows)
    for row in rows:
        path = ida_tree.image_path(base, row)
        path.parent.mkdir(parents=True)
        path.write_bytes(tree_files.nifti())
    numbers = range(_SUBJECTS)
    merged = [adni_tables.adnimerge_row(n, DX="Dementia") for n in numbers]
    adni_tables.write(
        base / "DXSUM.csv",
        *(adni_tables.dxsum_row(n, DIAGNOSIS="3") for n in numbers),
    )
    adni_tables.write(base / "ADNIMERGE.csv", *merged)
    known = {"VISCODE": "bl", "EXAMDATE": "2012-05-05", "VISCODE2": "bl"}
    ids = [{"RID": str(9000 + n)} | known for n in numbers]
    passed = [{"PASS": "1", "LONIUID": f"I{900000 + n}"} for n in numbers]
    adni_tables.write(
        base / "PETQC.csv",
        *(i | p for i, p in zip(ids, passed, strict=True)),
    )
    adni_tables.write(
        base / "PETC3.csv",
        *(i | {"SCANQLTY": "1", "SCANDATE": "2012-05-05"} for i in ids),
    )
    lists = [
        {
            "image_id": str(900000 + n),
            "subject_id": f"999_S_{9000 + n}",
            "image_date": "2012-05-05",
            "image_visit": "bl",
            "modality": "PET",
            "image_description": ida_tree.DESCRIPTION,
        }
        for n in numbers
    ]
    adni_tables.write(base / "All_Images.csv", *lists)
    entries = [
        {
            "subject_id": f"999_S_{9000 + n}",
            "entry_age": "71.5",
            "entry_date": "2012-05-05",
            "entry_research_group": "AD",
        }
        for n in numbers
    ]
    adni_tables.write(base / "Study_Entry.csv", *entries)


def mutate(base: Path, dice: Random) -> Files:
    names = sorted(path.name for path in base.glob("*.csv"))
    contents = {name: (base / name).read_bytes() for name in names}
    chosen = dice.sample(names, dice.choice((1, 1, 1, 2)))
    # which of them are named as options, or there at all, is chance too
    changed = {
        name: damaged_table(contents[name], dice, *contents.values())
        for name in chosen
    }
    left_out = [n for n in names if n not in changed and dice.random() < 0.3]
    return changed | dict.fromkeys(left_out)


def run(folder: Path, attempt) -> None:
    options = {
        name: [folder / f for f in files if (folder / f).exists()]
        for name, files in _TABLES.items()
    }
    look(folder, Selection(**options), attempt)
    look(folder, Selection(date_order="mdy", visits="all"), attempt)
