"""The XML file that the IDA can give with each image.

Two forms are known: that of scans as acquired (MRI and raw PET), with the
image id at `imagingProtocol/imageUID`, and that of processed PET, with it at
`derivedProduct/imageUID`, the diagnosis at `subjectInfo[@item="DX Group"]` and
the tracer among the protocol of the scan it was made from.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tfds_adni.sources.record import Label
from tfds_adni.sources.tree import Tree, names_of

_LABEL_SOURCE = "XML DX Group"
# Real ones have some kilobytes.
_MAX_BYTES = 1024 * 1024
_ROOT = "idaxs"
_IMAGE_IDS = (
    ".//{*}derivedProduct/{*}imageUID",
    ".//{*}imagingProtocol/{*}imageUID",
)
_DESCRIPTIONS = (
    ".//{*}derivedProduct/{*}processedDataLabel",
    ".//{*}imagingProtocol/{*}description",
)
_TRACER = ".//{*}protocol[@term='Radiopharmaceutical']"
_DX_GROUP = ".//{*}subjectInfo[@item='DX Group']"
_ID_OF_FILE = re.compile(r"_I(\d+)\.xml$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What an image's XML file says of it; text as it stands.

    Attributes:
        labels: The DX Group or, without one, the research group.
        problem: Why the file cannot be believed, `""` where it can.
    """

    subject: str = ""
    sex: str = ""
    age: str = ""
    visit: str = ""
    modality: str = ""
    description: str = ""
    date: str = ""
    tracer: str = ""
    labels: tuple[Label, ...] = ()
    problem: str = ""


def read_sidecars(tree: Tree) -> dict[str, Sidecar]:
    """Reads every XML file of the IDA in a folder.

    Args:
        tree: What lies in the folder.

    Returns:
        What the files say by image id, the first in order of path counting.
        A file that cannot be read but whose name ends in an image id gives
        its problem; XML files of others are passed over.
    """
    sidecars: dict[str, Sidecar] = {}
    for path in names_of(tree, ".xml"):
        try:
            root = _parse(path)
        except (OSError, ValueError, ElementTree.ParseError) as error:
            if match := _ID_OF_FILE.search(path.name):
                problem = f"its XML file cannot be read ({_reason(error)})"
                sidecars.setdefault(match[1], Sidecar(problem=problem))
            continue
        for image_id, sidecar in _images(root):
            sidecars.setdefault(image_id, sidecar)
    return sidecars


def _parse(path: Path) -> ElementTree.Element:
    """Reads an XML file that declares nothing.

    A document type can declare entities, which can grow without bound or
    read other files. As text, not bytes, the parser takes the encoding
    from here, so that no declaration hides behind another one.
    """
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"larger than {_MAX_BYTES >> 10} KiB")
    text = data.decode("utf-8-sig")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares a document type")
    return ElementTree.fromstring(text)


def _reason(error: Exception) -> str:
    """Words an error without the path or the place in the file."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, ElementTree.ParseError | UnicodeError):
        return "it is no XML"
    return str(error)


def _images(root: ElementTree.Element) -> Iterator[tuple[str, Sidecar]]:
    """Yields each image that a file describes."""
    if root.tag.rpartition("}")[2] != _ROOT:
        return
    for subject in root.iterfind(".//{*}subject"):
        for study in subject.iterfind(".//{*}study"):
            series = study.findall(".//{*}series")
            described = [s for s in series if _first(s, *_IMAGE_IDS)]
            for part in described or [study]:
                image_id = _first(part, *_IMAGE_IDS).lstrip("Ii")
                if image_id:
                    yield image_id, _sidecar(subject, study, part)


def _sidecar(
    subject: ElementTree.Element,
    study: ElementTree.Element,
    part: ElementTree.Element,
) -> Sidecar:
    """Reads one image's part of a study with what stands above it."""
    group = _first(subject, _DX_GROUP) or _first(subject, "{*}researchGroup")
    return Sidecar(
        subject=_first(subject, "{*}subjectIdentifier").upper(),
        sex=_first(subject, "{*}subjectSex"),
        age=_first(study, "{*}subjectAge"),
        visit=_first(subject, "{*}visit/{*}visitIdentifier"),
        modality=_first(part, ".//{*}modality"),
        description=_first(part, *_DESCRIPTIONS),
        date=_first(part, ".//{*}dateAcquired"),
        tracer=_first(part, _TRACER),
        labels=(Label(group, _LABEL_SOURCE),) if group else (),
    )


def _first(element: ElementTree.Element, *paths: str) -> str:
    """Returns the first text found, `""` where there is none."""
    for path in paths:
        if text := (element.findtext(path) or "").strip():
            return text
    return ""
