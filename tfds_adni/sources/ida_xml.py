"""Reads the XML files that the IDA gives with its images, one for each.

There are two forms: for scans as acquired (MRI and raw PET), with the image id
at `imagingProtocol/imageUID`; for processed PET, with it at
`derivedProduct/imageUID`, the diagnosis at `subjectInfo[@item="DX Group"]` and
the tracer in the protocol of the scan it was made from.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from tfds_adni.sources.ida_image import ImageMetadata, read_dates
from tfds_adni.sources.record import labels_of
from tfds_adni.sources.tree import Tree

# Real XML files have some kilobytes.
_MAX_BYTES = 1024 * 1024
_IMAGE_IDS = (
    ".//{*}derivedProduct/{*}imageUID",
    ".//{*}imagingProtocol/{*}imageUID",
)
_GROUPS = (".//{*}subjectInfo[@item='DX Group']", "{*}researchGroup")
_ID_OF_FILE = re.compile(r"_I(\d+)\.xml$", re.IGNORECASE)


def read_sidecars(
    tree: Tree, known: Mapping[str, str], *, date_order: str = ""
) -> tuple[dict[str, ImageMetadata], tuple[str, ...]]:
    """Reads every XML file of the IDA in a folder.

    Args:
        tree: The folder.
        known: The date by image id where paths have it, ISO.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.

    Returns:
        Metadata by image id, and warnings about their dates. The first file
        counts, in order of path. A file that cannot be read but whose name
        ends in an image id gives its problem; other XML files are skipped.
    """
    images: dict[str, ImageMetadata] = {}
    for path in tree.files_ending(".xml"):
        try:
            for image_id, image in _images_of_xml(_parse(path)):
                images.setdefault(image_id, image)
        except (OSError, ValueError) as error:
            if match := _ID_OF_FILE.search(path.name):
                reason = getattr(error, "strerror", None) or error
                problem = f"its XML file cannot be read ({reason})"
                images.setdefault(match[1], ImageMetadata(problem=problem))
    place = "dateAcquired in the XML files"
    dated, notes = read_dates([*images.items()], place, known, order=date_order)
    return dict(dated), notes


def _parse(path: Path) -> ElementTree.Element:
    """Reads an XML file without a document type.

    A document type can declare entities, which can grow without bound or
    read other files. The parser gets text, not bytes: no declaration can hide
    behind another encoding.
    """
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"larger than {_MAX_BYTES >> 10} KiB")
    try:
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" not in text and "<!ENTITY" not in text:
            return ElementTree.fromstring(text)
    except (UnicodeError, ElementTree.ParseError):
        raise ValueError("it is not XML") from None
    raise ValueError("it declares a document type")


def _images_of_xml(
    root: ElementTree.Element,
) -> Iterator[tuple[str, ImageMetadata]]:
    """Yields each image that a file of the IDA describes."""
    if root.tag.rpartition("}")[2] != "idaxs":
        return
    for subject in root.iterfind(".//{*}subject"):
        for study in subject.iterfind(".//{*}study"):
            series = study.findall(".//{*}series")
            described = [s for s in series if _first(s, *_IMAGE_IDS)]
            for part in described or [study]:
                if image_id := _first(part, *_IMAGE_IDS).lstrip("Ii"):
                    yield image_id, _image(subject, study, part)


def _image(
    subject: ElementTree.Element,
    study: ElementTree.Element,
    part: ElementTree.Element,
) -> ImageMetadata:
    """Reads one image's part of a study and the elements around it."""
    return ImageMetadata(
        subject=_first(subject, "{*}subjectIdentifier").upper(),
        sex=_first(subject, "{*}subjectSex"),
        age=_first(study, "{*}subjectAge"),
        visit=_first(subject, "{*}visit/{*}visitIdentifier"),
        modality=_first(part, ".//{*}modality"),
        description=_first(
            part,
            ".//{*}derivedProduct/{*}processedDataLabel",
            ".//{*}imagingProtocol/{*}description",
        ),
        date=_first(part, ".//{*}dateAcquired"),
        tracer=_first(part, ".//{*}protocol[@term='Radiopharmaceutical']"),
        labels=labels_of(_first(subject, *_GROUPS), "XML DX Group"),
    )


def _first(element: ElementTree.Element, *paths: str) -> str:
    """Returns the first text found, `""` where there is none."""
    texts = ((element.findtext(path) or "").strip() for path in paths)
    return next(filter(None, texts), "")
