"""The small files of a prepared set, read without TFDS and checked.

TFDS imports the Python modules that a set's `features.json` names: opening a
set of others could run any module. What is needed here is little: the counts
of records, the metadata, and that each label means what it should.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.config import PLANES, STAGES, VOLUME, checked_value
from pet_dcgan.data.record_files import RecordFile
from pet_dcgan.references import NATIVE
from pet_dcgan.utils.checksums import require_unchanged
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.foreign_text import json_kind, one_line, read_object

INFO, SCANS = "dataset_info.json", "scans.csv"
_METADATA, _FEATURES = "metadata.json", "features.json"
_LABELS = {"label.labels.txt": STAGES, "plane.labels.txt": PLANES}
# TFDS writes dataset_info.json later; the records it counts are counted again
_UNCHANGED = (SCANS, _METADATA, _FEATURES)
SPLITS = ("train", "validation", "test")
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_CLASS = re.compile(r"tensorflow_datasets\.core\.features\.\w+\.\w+")
_OTHER_FORMATS = ("array_record", "parquet", "riegeli")
_MOST_FILES = 99_999  # a number has five digits
_MOST_SIZE = 4096
_MOST_VOXELS = 256  # along each axis of a volume
_MOST_MM = 1000.0  # from the centre of a brain
_NEEDED = {
    "size": "number",
    "spacing_mm": "number",
    "suvr_max": "number",
    "normalisation": "object",
    "phantom": "true or false",
    "planes": "list",
}


class FileFormatError(ValueError):
    """A set whose records are in files that training does not read."""


def require_files(folder: Path) -> None:
    """Refuses a set of which a small file is damaged.

    Args:
        folder: Folder of the set's version.

    Raises:
        OSError: If one is missing.
        ValueError: If one is damaged, or labels mean something else.
    """
    labels = dict(_LABELS)
    if read_object(folder / _METADATA).get("planes") == [VOLUME]:
        del labels["plane.labels.txt"]  # they have none
    require_unchanged(folder, (*_UNCHANGED, *labels))
    for name, words in labels.items():
        found = read_bytes(folder / name, most=2**10).decode(errors="replace")
        if tuple(found.split()) != words:
            raise ValueError(
                f"expected {', '.join(words)} in {folder / name}, found "
                f"{one_line(found, most=60)}"
            )
    _require_own_classes(read_object(folder / _FEATURES), folder / _FEATURES)


def read_record_files(folder: Path, name: str) -> dict[str, list[RecordFile]]:
    """The files of records of each split.

    Args:
        folder: Folder of the set's version.
        name: Name of the data set, with which they begin.

    Raises:
        FileFormatError: If they are no TFRecords.
        OSError: If `dataset_info.json` is missing.
        ValueError: If it is damaged.
    """
    path = folder / INFO
    info = read_object(path)
    _require_tfrecords(info.get("fileFormat"), path)
    splits = info.get("splits")
    files = {}
    for split in splits if isinstance(splits, list) else [None]:
        given = split if isinstance(split, dict) else {}
        label, counts = given.get("name"), given.get("shardLengths")
        if label not in SPLITS or label in files:
            raise ValueError(
                f"expected the splits {', '.join(SPLITS)} in {path}, each "
                f"once, found {one_line(label)}"
            )
        numbered = isinstance(counts, list) and len(counts) <= _MOST_FILES
        if not numbered or given.get("filepathTemplate") != _TEMPLATE:
            raise ValueError(f"expected files of split {label} in {path}")
        stem = folder / f"{name}-{label}.tfrecord"
        files[label] = [
            RecordFile(
                stem.with_name(f"{stem.name}-{i:05}-of-{len(counts):05}"),
                _record_count(count, path),
            )
            for i, count in enumerate(counts)
        ]
    return files


def read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a set that slices are understood by.

    Args:
        folder: Folder of the set's version.

    Returns:
        `size`, `spacing_mm`, `suvr_max`, `reference`, `phantom`, `planes`,
        `space`, and `bands_mm`, empty where there is none.

    Raises:
        OSError: If the file is missing.
        ValueError: If it is damaged, or lacks another of them.
    """
    path = folder / _METADATA
    found = read_object(path)
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise ValueError(
            f"expected {', '.join(missing)} in the metadata {path}, found none"
        )
    for name, kind in _NEEDED.items():
        if json_kind(found[name]) != kind:
            raise ValueError(
                f"expected {name} as {kind} in {path}, found "
                f"{json_kind(found[name])}"
            )
    size, planes = found["size"], found["planes"]
    most = _MOST_VOXELS if planes == [VOLUME] else _MOST_SIZE
    if size != int(size) or not 1 <= size <= most:
        raise ValueError(
            f"expected a size from 1 to {most} in {path}, found {size}"
        )
    values = {name: found[name] for name in ("spacing_mm", "suvr_max")}
    values |= {"reference": found["normalisation"].get("method")}
    try:
        values = {n: checked_value(n, value) for n, value in values.items()}
    except ValueError as error:
        raise ValueError(f"{error} in {path}") from None
    known = planes == [VOLUME] or all(plane in PLANES for plane in planes)
    if not planes or not known or len(set(planes)) < len(planes):
        raise ValueError(
            f"expected planes among {', '.join(PLANES)} in {path}, each once, "
            f"or {VOLUME} alone, found {one_line(planes)}"
        )
    return values | {
        "size": int(size),
        "phantom": found["phantom"],
        "planes": tuple(planes),
        "space": _space(found.get("space", NATIVE), path),
        "bands_mm": _bands_mm(found.get("bands_mm", {}), path),
    }


def _space(found: Any, path: Path) -> str:
    """The space that the scans lie in."""
    try:
        return checked_value("space", found)
    except ValueError as error:
        raise ValueError(f"{error} in {path}") from None


def _bands_mm(found: Any, path: Path) -> dict[str, tuple[float, float]]:
    """The band of each plane; other versions may have none."""
    bands = {}
    given = found if isinstance(found, dict) else {"?": found}
    for plane, band in given.items():
        ends = band if isinstance(band, list) else []
        numbers = all(json_kind(end) == "number" for end in ends)
        fits = len(ends) == 2 and numbers and -_MOST_MM <= ends[0] < ends[1]
        if plane not in PLANES or not fits or ends[1] > _MOST_MM:
            raise ValueError(
                f"expected bands_mm of planes in {path}, each from a low to a "
                f"high position, found {one_line({plane: band})}"
            )
        bands[plane] = float(ends[0]), float(ends[1])
    return bands


def read_subjects(folder: Path) -> dict[tuple[str, str], set[str]]:
    """Subjects of used scans by split and stage, from `scans.csv`.

    Args:
        folder: Folder of the set's version.

    Raises:
        OSError: If the file is missing.
        ValueError: If it is damaged.
    """
    path = folder / SCANS
    groups: dict[tuple[str, str], set[str]] = {}
    for row in read_table(path, ["split", "stage", "subject", "used"]):
        if row["used"] == "False":
            continue
        at = row["split"], row["stage"]
        known = at[0] in SPLITS and at[1] in STAGES
        if row["used"] != "True" or not known or not row["subject"]:
            raise ValueError(
                f"expected used, split, stage and subject in {path}, found "
                f"{one_line((row['used'], *at, row['subject']), most=90)}"
            )
        groups.setdefault(at, set()).add(row["subject"])
    return groups


def _require_tfrecords(file_format: Any, path: Path) -> None:
    """Refuses files of another format."""
    if file_format == "tfrecord":
        return
    if file_format in _OTHER_FORMATS:
        raise FileFormatError(
            f"expected tfrecord as the format of {path.parent}, found "
            f"{file_format}: prepare the scans again with --file-format "
            "tfrecord, into another --data-dir"
        )
    raise ValueError(
        f"expected a file format in {path}, found {one_line(file_format)}"
    )


def _record_count(text: Any, path: Path) -> int:
    """A number of records; protobuf writes it as text."""
    if not re.fullmatch("[0-9]{1,12}", str(text)[:20], re.ASCII):
        raise ValueError(
            f"expected numbers of records in {path}, found {one_line(text)}"
        )
    return int(text)


def _require_own_classes(value: Any, path: Path) -> None:
    """Refuses features of classes that are not TFDS's, at any depth."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting.extend(found)
        if not isinstance(found, Mapping):
            continue
        for name, entry in found.items():
            waiting.append(entry)
            if name not in ("pythonClassName", "python_class_name"):
                continue
            if not isinstance(entry, str) or not _CLASS.fullmatch(entry):
                raise ValueError(
                    f"expected features of TFDS in {path}, found "
                    f"{one_line(entry)}"
                )
