"""Scan records of converted DICOM series.

In a download from the IDA the reader makes the record, and the headers fill
its gaps. Elsewhere, as in a hospital's export, subject and date come from the
path or else from the headers.
"""

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfds_adni.sources.dicom.series import Series
from tfds_adni.sources.ida import NO_SUBJECT
from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.record import ScanRecord, date_in, reject, subject_in
from tfds_adni.sources.timing import FrameTiming, are_times
from tfds_adni.sources.tracers import (
    TRACERS,
    tracer_in,
    tracer_named,
    tracer_of_names,
)
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, sex_letter

_NO_INJECTION = (
    "DICOM without the time of injection: the times of its frames count from "
    "the start of the series"
)
_NAMES = ("TracerName", "Radiopharmaceutical")
_ISOTOPE = "TracerRadionuclide"


@dataclasses.dataclass(frozen=True)
class Scan:
    """A series that is converted.

    Attributes:
        series: What its headers say.
        identity: As `identity_of` returns it.
        image_id: Image id of the IDA in its path, `""` outside of the IDA.
        volumes: NIfTI files made of it.
        sidecars: Elements of the JSON file of each.
    """

    series: Series
    identity: str
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
        stem = f"series-x{self.identity}"
        return ImageFile(
            self.paths[0],
            self.volumes[0],
            stem,
            ".nii",
            date=self.series.date,
        )


def identity_of(tree: Tree, series: Series) -> str:
    """Returns a short name for what makes the files of a series one.

    Beside SeriesInstanceUID, which an anonymiser may make one for all, that
    are PatientID and the subject in the path.

    Args:
        tree: The folder of the cohort.
        series: With the paths of its files.
    """
    subject = subject_in(tree.parts(Path(next(iter(series.files)))))
    return _short("\n".join((series.uid, series.patient, subject)))


def own_record(tree: Tree, scan: Scan) -> ScanRecord:
    """Returns the record of a scan outside of the IDA.

    Its subject is that of the path, else PatientID; its image id is made of
    SeriesNumber and its identity, since its UID names the hospital. The path
    may name the tracer.

    Args:
        tree: The folder of the cohort.
        scan: The scan.
    """
    series = scan.series
    names = tree.parts(scan.paths[0])
    record = dataclasses.replace(
        reject(tree, scan.paths, ""),
        # Of several images of a visit the newest is used: the later series.
        image_id=f"series-{series.number:05d}-{scan.identity}",
        subject=subject_in(names),
        date=date_in(names),
        tracer=tracer_of_names(reversed(names[:-1])),
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
    remark = _NO_INJECTION if timing and timing.relative else ""
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
            relative = starts is not acquired and series.offset is None
            return FrameTiming(tuple(starts), lengths, relative)
    return None


def _numbers(value: Any) -> tuple[float, ...]:
    """Returns a JSON file's list of numbers, empty if it is none."""
    value = value if isinstance(value, list) else [value]
    return tuple(map(float, value)) if are_times(value) else ()


def _tracer(record: ScanRecord, scan: Scan) -> tuple[str, str]:
    """Returns the tracer, and a problem if two are named.

    A table's, an XML file's or a folder's name goes first, then that of the
    description, then the DICOM's. `""` where there is none. A name that is
    not listed contradicts one that is.
    """
    texts = [str(one[n]) for one in scan.sidecars for n in _NAMES if n in one]
    inside = [tracer_named(text) for text in (*texts, *scan.series.tracers)]
    words = tracer_in(record.description or scan.series.description)
    named = filter(None, (record.tracer, words, *inside))
    # sorted is stable
    named = sorted(dict.fromkeys(named), key=lambda name: name not in TRACERS)
    if len(named) > 1 and named[0] in TRACERS:
        return named[0], f"two tracers are named: {' and '.join(named[:2])}"
    isotopes = (tracer_named(str(s.get(_ISOTOPE, ""))) for s in scan.sidecars)
    return next(filter(None, (*named, *isotopes)), ""), ""


def _subject(patient: str) -> str:
    """Returns the subject id of a PatientID, `""` where it is empty."""
    if match := SUBJECT_PATTERN.search(patient.upper()):
        return match[0]
    label = re.sub(r"[^\w.-]", "_", patient)
    if label != patient:  # A/B is not A_B
        label = f"{label}-{_short(patient)[:8]}"
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


def _short(text: str) -> str:
    """Returns a short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
