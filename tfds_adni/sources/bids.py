"""Reads PET-BIDS data sets and the output of Clinica.

A scan is a file `sub-<label>[_ses-<label>][_trc-<tracer>][_rec-<method>]_pet`,
with other entities or without, in any folder. That covers raw data sets,
Clinica's conversion of ADNI and its CAPS folders with pet-linear's output.

`participants.tsv` has a row for each subject, `sub-*_sessions.tsv` one for each
session, with the columns of Clinica's conversion or of other data sets.
"""

import contextlib
import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfds_adni.sources.images import ImageFile, split_copies
from tfds_adni.sources.record import (
    TRACERS,
    ScanRecord,
    labels_of,
    reject,
    subject_in,
    subject_of_label,
    tracer_named,
)
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, age_in_years, sex_letter
from tfds_adni.tables.dates import DateColumn, read_columns, row_date
from tfds_adni.tables.spreadsheet import SheetError, read_rows

# Clinica's `rec-` names ADNI's processing steps; BIDS's own values name
# reconstructions, which are raw in ADNI's sense.
_LEVEL_OF_RECONSTRUCTION = {
    "coregdyn": "dynamic",
    "coregavg": "averaged",
    "coregstd": "standardised",
    "coregiso": "uniform_8mm",
    "acdyn": "raw",
    "acstat": "raw",
}
_MAX_BYTES = 1024 * 1024
_DIAGNOSES = ("diagnosis", "diagnosis_sc", "diagnosis_bl", "dx", "group")
_DATES = ("examination_date", "acq_time")
_AGES = ("age", "age_bl")
_SEXES = ("sex", "gender")
_MISSING = ("n/a", "na", "nan", "none", "-4")
_FIRST_SESSIONS = re.compile(r"M?0*|0*1|bl|baseline", re.IGNORECASE)
# Scope, subject and session; the session is `None` in participants.tsv.
_Key = tuple[Path | None, str, str | None]
_Row = dict[str, str]


def parse_name(stem: str) -> dict[str, str] | None:
    """Splits a BIDS file name without its extension.

    Returns:
        Value by entity, with the suffix under `"suffix"`, such as
        `{"sub": "01", "trc": "18FFDG", "suffix": "pet"}`; `None` if the name
        is not BIDS.
    """
    *parts, suffix = stem.split("_")
    if not stem.startswith("sub-") or not parts or "-" in suffix:
        return None
    pairs = (part.partition("-") for part in parts if "-" in part)
    entities = {key: value for key, _, value in pairs}
    return entities | {"sub": parts[0].removeprefix("sub-"), "suffix": suffix}


def read(
    tree: Tree,
    images: Sequence[ImageFile],
    *,
    date_order: str = "",
    notes: list[str] | None = None,
) -> list[ScanRecord]:
    """Reads a BIDS data set into scan records.

    Args:
        tree: The data set's folder, or one around several of them.
        images: Its images.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.
        notes: Warnings are added to it, a line each.

    Returns:
        One record for each image, none for those with a problem.
    """
    groups = defaultdict(list)
    records = []
    for image in images:
        if image.problem:
            continue
        if parse_name(image.stem):
            groups[image.stem].append(image)
        else:
            why = "no BIDS name in a BIDS folder"
            records.append(reject(tree, [image.path], why))
    rows = _read_tables(tree)
    dates = read_columns(
        rows.values(), _DATES, "sessions.tsv", order=date_order
    )
    if notes is not None:
        notes += [note for column in dates.values() for note in column.notes]
    for files in groups.values():
        for rank, ((image, *_), copy) in enumerate(split_copies(files)):
            record = _record(image, rows, dates)
            records.append(dataclasses.replace(record, rank=rank, copy=copy))
    return records


def _record(
    image: ImageFile, rows: dict[_Key, _Row], dates: dict[str, DateColumn]
) -> ScanRecord:
    """Joins a file's name with the tables."""
    name = parse_name(image.stem)
    subject = subject_of_label(name["sub"])
    session, method = name.get("ses", ""), name.get("rec", "")
    level = _LEVEL_OF_RECONSTRUCTION.get(method.rstrip("0123456789"), "unknown")
    problem = ""
    if name["suffix"] != "pet":
        problem = f"not PET ({name['suffix']})"
    elif method.startswith("nac"):
        problem = "not corrected for attenuation (rec-nac)"
    scopes = [_scope(subject, folder) for folder in image.path.parents]
    visit, person = (
        next((rows[k] for s in scopes if (k := (s, subject, at)) in rows), {})
        for at in (session, None)
    )
    age = age_in_years(_cell(visit, *_AGES))
    # participants.tsv has the age at the first session.
    if age < 0 and _FIRST_SESSIONS.fullmatch(session):
        age = age_in_years(_cell(person, *_AGES))
    sexes = (sex_letter(_cell(row, *_SEXES)) for row in (visit, person))
    return ScanRecord(
        paths=(image.path,),
        subject=subject,
        image_id=image.stem,
        visit=session,
        date=date.isoformat() if (date := row_date(visit, dates)) else "",
        description=image.stem,
        tracer=_tracer(image, name),
        level="pet_linear" if "suvr" in name else level,
        labels=labels_of(_cell(visit, *_DIAGNOSES), "sessions.tsv")
        + labels_of(_cell(person, *_DIAGNOSES), "participants.tsv"),
        age=age,
        sex=next(filter(None, sexes), ""),
        problem=problem,
    )


def _tracer(image: ImageFile, name: dict[str, str]) -> str:
    """Returns the tracer in the name, else in the JSON file beside the image.

    Clinica wrote it as `acq` before PET-BIDS had `trc`.
    """
    tracer = tracer_named(name.get("trc", ""))
    if not tracer and name["suffix"] == "pet":
        tracer = tracer_named(name.get("acq", ""))
        if tracer not in TRACERS:
            sidecar = image.path.with_name(f"{image.stem}.json")
            tracer = tracer_named(_json_tracer(sidecar))
    return tracer or "unknown"


def _json_tracer(path: Path) -> str:
    """Returns the tracer of a JSON sidecar, `""` where there is none."""
    try:
        with open(path, "rb") as file:
            facts = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    text = facts.get("TracerName", "") if isinstance(facts, dict) else ""
    return text if isinstance(text, str) else ""


def _read_tables(tree: Tree) -> dict[_Key, _Row]:
    """Returns the first row of each key in the tables of a folder."""
    rows: dict[_Key, _Row] = {}
    for path in tree.files_ending("participants.tsv", "sessions.tsv"):
        with contextlib.suppress(SheetError):  # rows before the damage count
            for key, row in _rows_of(path):
                rows.setdefault(key, row)
    return rows


def _rows_of(path: Path) -> Iterator[tuple[_Key, _Row]]:
    """Yields the rows of a table that name a subject."""
    folder = path.parent  # of the data set or of one subject
    folder = folder.parent if folder.name.startswith("sub-") else folder
    session = None
    for cells in read_rows(path):
        row = {name.lower(): cell for name, cell in cells.items()}
        label = _cell(row, "participant_id")
        subject = subject_of_label(label) if label else subject_in([path.name])
        if path.name.lower().endswith("sessions.tsv"):
            session = _cell(row, "session_id").removeprefix("ses-")
        if subject:
            yield (_scope(subject, folder), subject, session), row


def _scope(subject: str, folder: Path) -> Path | None:
    """Returns the folder that a subject's id is valid in, `None` for all.

    A subject of ADNI is the same person in every table. Other labels, such as
    `sub-01`, hold only in the data set of their table and its derivatives:
    data sets side by side give them to several people.
    """
    return None if SUBJECT_PATTERN.fullmatch(subject) else folder


def _cell(row: dict[str, str], *names: str) -> str:
    """Returns the first cell of some columns that is not missing."""
    cells = (row.get(name, "") for name in names)
    return next((c for c in cells if c and c.lower() not in _MISSING), "")
