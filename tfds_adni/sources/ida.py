"""Reads a download from LONI's Image and Data Archive (IDA).

An image is recognised by the image id in its own name (`..._I900015.nii`) or,
failing that, in its folder's (`I900015`). The rest comes from the collection
CSV, the XML file of the image and the names in its path, each filling the gaps
of the one before.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tfds_adni.sources.ida_image import ImageMetadata, StudyEntry, differ
from tfds_adni.sources.ida_metadata import read_collections
from tfds_adni.sources.ida_xml import read_sidecars
from tfds_adni.sources.images import ImageFile, lacks_frame, split_copies
from tfds_adni.sources.record import (
    ScanRecord,
    date_in,
    description_in,
    image_id_in,
    modality_in,
    reject,
    subject_in,
)
from tfds_adni.sources.tracers import tracer_named
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, age_in_years, sex_letter
from tfds_adni.tables.dates import DateOrderError

_BIDS_NAME = "a BIDS name outside a BIDS folder; give the BIDS folder itself"
NO_SUBJECT = "no subject id in the path or a table"
_UNDATED = "a date that can be read in two ways"
_MISSING_ID = "no image id in the file's name or folder"


def read(
    tree: Tree,
    images: Sequence[ImageFile],
    *,
    date_order: str = "",
    notes: list[str] | None = None,
) -> list[ScanRecord]:
    """Reads an IDA download into scan records.

    Args:
        tree: The folder the zips were unpacked into.
        images: Its images.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.
        notes: Warnings are added to it, a line each.

    Returns:
        One record for each image id, one for each further copy of an image,
        and one for each image without an id; none for those with a problem.

    Raises:
        DateOrderError: If no image is left, and the dates of some can be read
            in two ways.
    """
    by_id = defaultdict(list)
    for image in images:
        by_id[image_id_in(tree.parts(image.path))].append(image)
    records = []
    for image in by_id.pop("", ()):
        if not image.problem:
            bids = image.stem.startswith("sub-")
            why = _BIDS_NAME if bids else _MISSING_ID
            records.append(reject(tree, [image.path], why))
    dates = {
        image_id: date_in(tree.parts(files[0].path)) or _header_date(files)
        for image_id, files in by_id.items()
    }
    sidecars, told = read_sidecars(tree, dates, date_order=date_order)
    for image_id, sidecar in sidecars.items():
        dates[image_id] = dates.get(image_id) or sidecar.date
    tables = read_collections(tree, dates, date_order=date_order)
    for image_id, files in by_id.items():
        row = tables.images.get(image_id, ImageMetadata())
        sidecar = sidecars.get(image_id, ImageMetadata())
        subject = _subject(tree.parts(files[0].path), row, sidecar)
        entry = tables.entries.get(subject)
        listed = image_id in tables.images or image_id in sidecars or entry
        lacking = tables.images and not listed
        records += _scans(
            tree,
            files,
            row,
            sidecar,
            entry or StudyEntry(),
            image_id=image_id,
            unlisted="not in the collection CSV" if lacking else "",
        )
    _require_order(records)
    if notes is not None:
        notes += [*told, *tables.notes, *_conflicts(records)]
    return records


def _require_order(records: Sequence[ScanRecord]) -> None:
    """Stops where no scan is left, and an order of dates would give some."""
    problems = [record.problem for record in records]
    undated = [text for text in problems if text.startswith(_UNDATED)]
    if undated and all(problems):
        raise DateOrderError(undated[0].removeprefix(f"{_UNDATED}: "))


def _conflicts(records: Sequence[ScanRecord]) -> list[str]:
    """Returns the warning about scans with several dates, if there are any."""
    odd = [record.remark for record in records if record.remark]
    if not odd:
        return []
    return [
        f"{len(odd)} of {len(records)} scans have several dates, more than a "
        f"day apart (first: {odd[0]}); the path goes before a DICOM header, "
        "that before an XML file, and that before a table"
    ]


def _scans(
    tree: Tree,
    files: Sequence[ImageFile],
    row: ImageMetadata,
    sidecar: ImageMetadata,
    entry: StudyEntry,
    **known: str,
) -> Iterator[ScanRecord]:
    """Yields the copies of one image, the one to use first."""
    sound = [file for file in files if not file.problem]
    broken = [f for f in files if f.problem and not f.needs_conversion]
    for rank, (frames, copy) in enumerate(split_copies(sound)):
        record = _join(
            tree.parts(frames[0].path),
            row,
            sidecar,
            entry,
            taken=_header_date(files),
        )
        problem = record.problem
        if not problem and lacks_frame(frames, broken):
            problem = "another frame of this image is missing or unreadable"
        yield dataclasses.replace(
            record,
            paths=tuple(frame.path for frame in frames),
            problem=problem,
            rank=rank,
            copy=copy,
            **known,
        )


def _join(
    names: Sequence[str],
    row: ImageMetadata,
    sidecar: ImageMetadata,
    entry: StudyEntry,
    *,
    taken: str,
) -> ScanRecord:
    """Fills a record from table, XML file and names, in that order.

    Diagnosis and age come from the XML file first: its DX Group is of the
    scan's visit and its age has decimals. The date comes from the path first,
    which no spreadsheet has changed.

    Args:
        names: Of the path.
        row: Of tables.
        sidecar: Of the XML file.
        entry: The subject's.
        taken: The date in its DICOM header.
    """
    subject = _subject(names, row, sidecar)
    date, remark = _date(names, taken, row, sidecar)
    problem = _problem(names, subject, row, sidecar)
    undated = sidecar.undated or row.undated
    if undated and not date and not problem:
        problem = f"{_UNDATED}: {undated}"
    ages = (
        age_in_years(sidecar.age),
        age_in_years(row.age),
        row.entry.age_on(date),
        entry.age_on(date),
    )
    return ScanRecord(
        paths=(),
        image_id="",
        subject=subject,
        visit=row.visit or sidecar.visit,
        date=date,
        description=(
            row.description or sidecar.description or description_in(names)
        ),
        tracer=tracer_named(sidecar.tracer),
        labels=sidecar.labels + row.labels + entry.labels,
        age=next((age for age in ages if age > 0), -1.0),
        sex=sex_letter(row.sex or sidecar.sex),
        problem=problem,
        remark=remark,
    )


def _subject(
    names: Sequence[str], row: ImageMetadata, sidecar: ImageMetadata
) -> str:
    """Returns the subject of an image, `""` where unknown."""
    return row.subject or sidecar.subject or subject_in(names)


def _header_date(files: Sequence[ImageFile]) -> str:
    """Returns the first date in the DICOM headers of an image, ISO or `""`."""
    return next((file.date for file in files if file.date), "")


def _date(
    names: Sequence[str],
    taken: str,
    row: ImageMetadata,
    sidecar: ImageMetadata,
) -> tuple[str, str]:
    """Returns the date of an image, and how other places contradict it."""
    dates = {
        "its path": date_in(names),
        "its DICOM header": taken,
        "its XML file": sidecar.date,
        "a table": row.date,
    }
    dates = {place: date for place, date in dates.items() if date}
    first = next(iter(dates.values()), "")
    if any(differ(first, date) for date in dates.values()):
        said = ", ".join(f"{date} by {place}" for place, date in dates.items())
        return first, f"dated {said}"
    return first, row.remark


def _problem(
    names: Sequence[str],
    subject: str,
    row: ImageMetadata,
    sidecar: ImageMetadata,
) -> str:
    """Returns why an image cannot be used, `""` if it can."""
    subjects = {row.subject, sidecar.subject, subject_in(names)}
    modality = row.modality or sidecar.modality or modality_in(names)
    if row.problem:
        return row.problem
    if len([s for s in subjects if SUBJECT_PATTERN.fullmatch(s)]) > 1:
        return "the tables and the path name two subjects"
    if sidecar.problem and not row.subject:
        return sidecar.problem
    if not subject:
        return NO_SUBJECT
    return (
        "" if modality.upper() in ("PET", "PT", "") else f"not PET ({modality})"
    )
