"""Reads a download from LONI's Image and Data Archive (IDA).

Images lie at `.../<subject>/<description>/<time>/I<image id>/*.nii`, the
collection CSV anywhere beside them. An image is recognised by the image id in
its own name (`..._I900015.nii`) or, failing that, by its folder (`I900015`);
the raw level stores several frames under one image id.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tfds_adni.sources.record import SUBJECT_PATTERN, ScanRecord

_SUFFIXES = (".nii", ".nii.gz")
_ID_IN_NAME = re.compile(r"_I(\d+)(?=[._]|$)")
_ID_OF_FOLDER = re.compile(r"^I(\d+)$")
COLUMNS = ("Image Data ID", "Subject", "Group")
_MISSING_ID = "no image id in the file's name or folder"
_UNLISTED = "not in the collection CSV"


def read(folder: Path) -> list[ScanRecord]:
    """Reads an IDA download into scan records.

    Args:
        folder: The folder the zips were unpacked into.

    Returns:
        One record for each image id found on the disk, and one for each file
        that has none, in order of subject, date and image id.

    Raises:
        FileNotFoundError: If no NIfTI file lies below the folder.
        ValueError: If no CSV has the columns of an IDA collection.
    """
    images = _find_images(folder)
    rows = _read_tables(folder)
    records = []
    for image_id, paths in images.items():
        if image_id:
            records.append(_record(image_id, tuple(paths), rows.get(image_id)))
        else:
            records.extend(_anonymous(path) for path in paths)
    return sorted(records, key=lambda r: (r.subject, r.date, r.image_id))


def _find_images(folder: Path) -> dict[str, list[Path]]:
    """Groups the image files by image id; files without one under `""`."""
    images = defaultdict(list)
    for path in _walk(folder):
        if path.name.lower().endswith(_SUFFIXES):
            images[_image_id(path)].append(path)
    if not images:
        raise FileNotFoundError(
            f"expected NIfTI files (.nii, .nii.gz) below {folder}, found none; "
            "download the PET images from LONI as NIfTI and unpack them there"
        )
    return dict(images)


def _walk(folder: Path) -> Iterator[Path]:
    """Gives the files below a folder, sorted, less hidden ones."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _image_id(path: Path) -> str:
    """Gives the image id in a file's name, else that of its folder."""
    in_name = _ID_IN_NAME.findall(path.name)
    if in_name:
        return in_name[-1]
    of_folder = _ID_OF_FOLDER.match(path.parent.name)
    return of_folder.group(1) if of_folder else ""


def _read_tables(folder: Path) -> dict[str, dict[str, str]]:
    """Joins every collection CSV of the folder into rows by image id."""
    rows: dict[str, dict[str, str]] = {}
    seen = []
    for path in _walk(folder):
        if path.suffix.lower() != ".csv":
            continue
        table = _read_csv(path)
        if all(column in table.columns for column in COLUMNS):
            rows |= {
                row["Image Data ID"].strip().lstrip("Ii"): row
                for row in table.to_dict("records")
            }
        else:
            seen.append(f"{path.name} ({', '.join(table.columns[:6])})")
    if not rows:
        raise ValueError(_no_table(folder, seen))
    return rows


def _read_csv(path: Path) -> pd.DataFrame:
    """Reads a table as text cells; one that is no table has no columns."""
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError):
        return pd.DataFrame()
    return table.rename(columns=lambda name: str(name).strip())


def _no_table(folder: Path, seen: list[str]) -> str:
    """Words the error for a folder without a collection CSV."""
    found = "; ".join(seen[:3]) if seen else "no CSV file"
    return (
        f"expected an IDA collection CSV with the columns {', '.join(COLUMNS)} "
        f"in {folder}, found {found}; in LONI's collection choose CSV beside "
        "the download and put the file into that folder"
    )


def _record(
    image_id: str, paths: tuple[Path, ...], row: dict[str, str] | None
) -> ScanRecord:
    """Joins the files of one image id with its row of the table."""
    if row is None:
        return ScanRecord(
            paths=paths,
            subject=_subject(paths[0]),
            image_id=image_id,
            description=_description(paths[0]),
            problem=_UNLISTED,
        )
    return ScanRecord(
        paths=paths,
        subject=row["Subject"].strip(),
        image_id=image_id,
        visit=row.get("Visit", "").strip(),
        date=_iso_date(row.get("Acq Date", "")),
        description=row.get("Description", "") or _description(paths[0]),
        group=row["Group"].strip(),
        age=_age(row.get("Age", "")),
        sex=_sex(row.get("Sex", "")),
        problem=_modality_problem(row.get("Modality", "PET")),
    )


def _anonymous(path: Path) -> ScanRecord:
    """Describes an image file that carries no image id."""
    return ScanRecord(
        paths=(path,),
        subject=_subject(path),
        image_id="",
        description=_description(path),
        problem=_MISSING_ID,
    )


def _subject(path: Path) -> str:
    """Gives the subject id in a path, from its innermost part outwards."""
    found = SUBJECT_PATTERN.findall(str(path))
    return found[-1] if found else ""


def _description(path: Path) -> str:
    """Gives the description folder of an image, spaces put back."""
    parents = path.parents
    name = parents[2].name if len(parents) > 3 else ""
    return name.replace("_", " ")


def _iso_date(text: str) -> str:
    """Gives M/D/YYYY or ISO as ISO, `""` where it is neither."""
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        date = pd.to_datetime(text.strip(), format=form, errors="coerce")
        if not pd.isna(date):
            return date.date().isoformat()
    return ""


def _age(text: str) -> float:
    """Gives an age in years, -1 where the cell holds none."""
    age = pd.to_numeric(text.strip(), errors="coerce")
    return float(age) if age == age and 0 < age < 130 else -1.0


def _sex(text: str) -> str:
    """Gives `F`, `M` or `""`."""
    first = text.strip().upper()[:1]
    return first if first in ("F", "M") else ""


def _modality_problem(modality: str) -> str:
    """Says why a scan of another modality is not used."""
    modality = modality.strip()
    return "" if modality.upper() in ("PET", "") else f"not PET ({modality})"
