"""The headers of DICOM files, sorted into series.

A few elements of each file are read, no voxels. Names and units of elements
are those of the DICOM standard, part 3: C.8.9 (PET) and C.7 (everything else).
"""

import contextlib
import dataclasses
import datetime
import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfds_adni.sources.bounded_file import BoundedFile
from tfds_adni.sources.dicom import kinds
from tfds_adni.sources.dicom.elements import number_of, text_of
from tfds_adni.tables.cells import true_date

if TYPE_CHECKING:
    import pydicom

_AGENT = "RadiopharmaceuticalInformationSequence"
_ELEMENTS = [
    *("SeriesInstanceUID", "SOPInstanceUID", "SeriesNumber"),
    *("PatientID", "PatientSex", "PatientAge", _AGENT),
    *("AcquisitionDate", "SeriesDate", "StudyDate", "AcquisitionTime"),
    *("SeriesTime", "Rows", "Columns", "NumberOfFrames", "NumberOfSlices"),
    *kinds.ELEMENTS,
]
_DAY = 86400.0
# Of a header, voxels aside; one of 10,000 frames has some megabytes.
MAX_BYTES = 2**23


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series:
    """The files of one DICOM series, with what their headers say.

    Attributes:
        uid: SeriesInstanceUID.
        files: SOPInstanceUID by name in the folder, after `moved` by path;
            copies of a file share it.
        slices: Slices in one file, 1 unless the file is of many frames.
        depth: Slices of one volume, 0 where unknown.
        pixels: Pixels of one slice.
        starts: Seconds from injection to the start of each frame; empty where
            either time is unknown.
        offset: Seconds from injection to the series' own time zero, `None`
            where unknown.
        modality: Such as `PT` or `CT`.
        number: SeriesNumber, 0 where unknown.
        description: SeriesDescription.
        patient: PatientID.
        date: Day of the acquisition, ISO, `""` where unknown.
        sex: `F`, `M`, `O` or `""`.
        age: Years, -1 where unknown.
        tracers: The texts that may name the tracer.
        problem: Why it is no image of a tracer, `""` where it is one.
        corrected: Whether the header says that attenuation is corrected.
    """

    uid: str
    files: dict[str, str]
    slices: int = 1
    depth: int = 0
    pixels: int = 0
    starts: tuple[float, ...] = ()
    offset: float | None = None
    modality: str = ""
    number: int = 0
    description: str = ""
    patient: str = ""
    date: str = ""
    sex: str = ""
    age: float = -1.0
    tracers: tuple[str, ...] = ()
    problem: str = ""
    corrected: bool = True

    def moved(self, folder: Path) -> "Series":
        """Returns the series with the paths of its files in a folder."""
        files = {str(folder / name): uid for name, uid in self.files.items()}
        return dataclasses.replace(self, files=files)


def join(parts: Sequence[Series]) -> Series:
    """Returns the series that files or folders are parts of.

    Args:
        parts: At least one; what is not of single files is the first one's.
    """
    starts = {start for part in parts for start in part.starts}
    files = {path: uid for part in parts for path, uid in part.files.items()}
    return dataclasses.replace(
        parts[0], files=files, starts=tuple(sorted(starts))
    )


def read_headers(paths: Iterable[Path]) -> tuple[list[Series], dict[str, str]]:
    """Reads the headers of the DICOM files of one folder.

    Args:
        paths: The files.

    Returns:
        The series, in order of their first files; and why each file that
        belongs to none cannot be read, by name.

    Raises:
        ImportError: If pydicom is not installed.
    """
    parts = defaultdict(list)
    broken = {}
    with _quiet():
        for path in paths:
            try:
                one = _read(path)
            # Arbitrary bytes make pydicom raise nearly anything.
            except Exception as error:
                reason = getattr(error, "strerror", None)
                broken[path.name] = reason or "its header is damaged"
                continue
            # An anonymiser may give all patients one UID.
            if one.uid:
                parts[one.uid, one.patient].append(one)
            else:
                broken[path.name] = "no header of an image"
    return [join(files) for files in parts.values()], broken


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps pydicom's remarks on odd values off the user's terminal."""
    import pydicom

    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        with (
            warnings.catch_warnings(),
            pydicom.config.disable_value_validation(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _read(path: Path) -> Series:
    """Reads the header of one file as a series of its own."""
    import pydicom

    # A packed header (deflated) is read to its end, and so refused.
    with path.open("rb") as file:
        header = pydicom.dcmread(
            BoundedFile(file, MAX_BYTES, to_end=False),
            stop_before_pixels=True,
            force=True,
            specific_tags=_ELEMENTS,
        )
    agent = next(iter(header.get(_AGENT) or ()), pydicom.Dataset())
    date = _date(header)
    return Series(
        uid=text_of(header, "SeriesInstanceUID"),
        files={path.name: text_of(header, "SOPInstanceUID") or path.name},
        slices=max(1, number_of(header, "NumberOfFrames")),
        depth=number_of(header, "NumberOfSlices"),
        pixels=number_of(header, "Rows") * number_of(header, "Columns"),
        starts=_after_injection(header, agent, date, "AcquisitionTime"),
        offset=next(
            iter(_after_injection(header, agent, date, "SeriesTime")), None
        ),
        modality=text_of(header, "Modality").upper(),
        number=number_of(header, "SeriesNumber"),
        description=text_of(header, "SeriesDescription"),
        patient=text_of(header, "PatientID"),
        date=date,
        sex=text_of(header, "PatientSex"),
        age=_age(text_of(header, "PatientAge")),
        tracers=_tracers(agent),
        problem=kinds.problem_of(header),
        corrected=kinds.says_corrected(header),
    )


def _age(text: str) -> float:
    """Returns the years of an age such as `072Y`, -1 where it is none."""
    match = re.fullmatch(r"(\d{3})Y", text)
    return float(match[1]) if match else -1.0


def _date(header: "pydicom.Dataset") -> str:
    """Returns the day of a scan, ISO, `""` where unknown."""
    for name in ("AcquisitionDate", "SeriesDate", "StudyDate"):
        # ACR-NEMA wrote dots between.
        text = text_of(header, name).replace(".", "")
        with contextlib.suppress(ValueError):
            # An anonymiser writes such as 19000101.
            day = datetime.date.fromisoformat(text).isoformat()
            return day if true_date(day) else ""
    return ""


def _after_injection(
    header: "pydicom.Dataset", agent: "pydicom.Dataset", date: str, name: str
) -> tuple[float, ...]:
    """Returns the seconds from injection to a time of a file, if known."""
    then = _moment(date, text_of(header, name))
    injected = _moment("", text_of(agent, "RadiopharmaceuticalStartDateTime"))
    if then and injected:
        return ((then - injected).total_seconds(),)
    injected = _moment(date, text_of(agent, "RadiopharmaceuticalStartTime"))
    if not (then and injected):
        return ()
    seconds = (then - injected).total_seconds()
    # Midnight may lie between them; half a day does not.
    return (seconds + _DAY if seconds < -_DAY / 2 else seconds,)


def _moment(date: str, time: str) -> datetime.datetime | None:
    """Returns the moment of a date and a time of DICOM, `None` without."""
    from pydicom.valuerep import DT

    if not time:
        return None
    try:
        moment = DT(date.replace("-", "") + time.replace(":", ""))
    except ValueError:
        return None
    return moment.replace(tzinfo=None) if moment else None


def _tracers(agent: "pydicom.Dataset") -> tuple[str, ...]:
    """Returns the names of a radiopharmaceutical, the plain one first."""
    codes = agent.get("RadiopharmaceuticalCodeSequence") or ()
    texts = [text_of(agent, "Radiopharmaceutical")]
    texts += [text_of(code, "CodeMeaning") for code in codes]
    return tuple(filter(None, texts))
