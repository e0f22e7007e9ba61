"""Scan records of converted DICOM series.

In a download from the IDA the reader makes the record, and the headers fill
its gaps. Elsewhere, as in a hospital's export, subject and date come from the
path or else from the headers.
"""

import dataclasses
import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfds_adni.sources.dicom.series import Series
from tfds_adni.sources.ida import NO_SUBJECT
from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.record import ScanRecord, date_in, reject, subject_in
from tfds_adni.sources.timing import FrameTiming
from tfds_adni.sources.tracers import TRACERS, tracer_in, tracer_named
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, sex_letter

_NO_INJECTION = (
    "DICOM without the time of injection: the times of its frames count from "
    "the start of the series"
)
_NAMES = ("TracerName", "Radiopharmaceutical", "TracerRadionuclide")


@dataclasses.dataclass(frozen=True)
class Scan:
    """A series that is converted.

    Attributes:
        series: What its headers say.
        image_id: Image id of the IDA in its path, `""` outside of the IDA.
        volumes: NIfTI files made of it.
        sidecars: Elements of the JSON file of each.
    """

    series: Series
    image_id: str
    volumes: tuple[Path, ...]
    sidecars: tuple[dict[str, Any], ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its DICOM files."""
        return tuple(map(Path, self.series.files))

    @property
    def image(self) -> ImageFile:
        """The scan as a reader takes it, under the path of its first file."""
        # No two series of a folder may look like frames of one scan.
        stem = f"series-x{_short(self.series.uid)}"
        return ImageFile(self.paths[0], self.volumes[0], stem, ".nii")


def own_record(tree: Tree, scan: Scan) -> ScanRecord:
    """Returns the record of a scan outside of the IDA.

    Its subject is that of the path, else PatientID; its image id is made of
    SeriesNumber and a hash of SeriesInstanceUID, which names the hospital.

    Args:
        tree: The folder of the cohort.
        scan: The scan.
    """
    series = scan.series
    names = tree.parts(scan.paths[0])
    record = dataclasses.replace(
        reject(tree, scan.paths, ""),
        # Of several images of a visit the newest is used: the later series.
        image_id=f"series-{series.number:05d}-{_short(series.uid)}",
        subject=subject_in(names),
        date=date_in(names),
        problem=NO_SUBJECT,
    )
    record = complete(record, scan)
    return dataclasses.replace(record, tracer=record.tracer or "unknown")


def complete(record: ScanRecord, scan: Scan) -> ScanRecord:
    """Adds what the headers say to the record of a scan.

    Args:
        record: From the scan's path and tables.
        scan: The scan.
    """
    series = scan.series
    tracer, conflict = _tracer(record, scan)
    timing = frame_timing(series, scan.sidecars)
    remark = _NO_INJECTION if timing and series.offset is None else ""
    return dataclasses.replace(
        record,
        paths=scan.paths,
        converted=scan.volumes,
        subject=record.subject or _subject(series.patient),
        date=record.date or series.date,
        description=record.description or series.description,
        tracer=tracer,
        sex=record.sex or sex_letter(series.sex),
        age=record.age if record.age > 0 else series.age,
        timing=timing,
        problem=_problem(record, series) or conflict,
        remark="; ".join(filter(None, (record.remark, remark))),
    )


def frame_timing(
    series: Series, sidecars: Sequence[dict[str, Any]]
) -> FrameTiming | None:
    """Returns when the frames of a series were acquired.

    dcm2niix counts from SeriesTime, never below 0, which the headers correct:
    they have the times of injection and of each acquisition.

    Args:
        series: The series.
        sidecars: The JSON file's elements of each volume.

    Returns:
        Seconds after injection, where its time is unknown after SeriesTime;
        `None` where the frames' times are unknown.
    """
    # Volumes that dcm2niix splits have no order that is known.
    if len(sidecars) != 1:
        return None
    shown, lengths, middles = (
        _numbers(sidecars[0].get(name))
        for name in ("FrameTimesStart", "FrameDuration", "FrameReferenceTime")
    )
    count, zero = len(lengths), series.offset or 0.0
    acquired = series.starts if list(shown) == sorted(shown) else ()
    if count == 1:
        acquired = acquired[:1]  # of several beds
    halves = [t - d / 2 for t, d in zip(middles, lengths, strict=False)]
    known = (acquired, [zero + t for t in shown], [zero + t for t in halves])
    for starts in known:
        if count and len(starts) == len(set(starts)) == count:
            return FrameTiming(tuple(starts), lengths)
    return None


def _numbers(value: Any) -> tuple[float, ...]:
    """Returns a JSON file's list of numbers, empty if it is none."""
    value = value if isinstance(value, list) else [value]
    known = (int, float)
    if all(isinstance(n, known) and math.isfinite(n) for n in value):
        return tuple(map(float, value))
    return ()


def _tracer(record: ScanRecord, scan: Scan) -> tuple[str, str]:
    """Returns the tracer, and a problem if two are named.

    A table's or an XML file's name goes first, then that of the description,
    then the DICOM's. `""` where there is none.
    """
    texts = [str(one[n]) for one in scan.sidecars for n in _NAMES if n in one]
    texts += scan.series.tracers
    inside = [tracer_named(text) for text in texts]
    words = tracer_in(record.description or scan.series.description)
    named = (record.tracer, words, *inside)
    known = list(dict.fromkeys(name for name in named if name in TRACERS))
    if len(known) > 1:
        return known[0], f"two tracers are named: {' and '.join(known[:2])}"
    return next(filter(None, (*known, record.tracer, *inside)), ""), ""


def _subject(patient: str) -> str:
    """Returns the subject id of a PatientID, `""` where it is empty."""
    if match := SUBJECT_PATTERN.search(patient.upper()):
        return match[0]
    label = re.sub(r"[^\w.-]", "_", patient)
    return f"sub-{label}" if label else ""


def _problem(record: ScanRecord, series: Series) -> str:
    """Returns why a scan cannot be used, `""` if it can."""
    inside = _subject(series.patient)
    subjects = {s for s in (record.subject, inside) if s}
    if len(list(filter(SUBJECT_PATTERN.fullmatch, subjects))) > 1:
        return "the DICOM and the path or the tables name two subjects"
    if record.problem == NO_SUBJECT and subjects:
        return ""
    return record.problem


def _short(uid: str) -> str:
    """Returns a short name for a UID."""
    return hashlib.sha256(uid.encode()).hexdigest()[:12]
