"""Reads the XML files that the IDA gives with its images, one for each.

There are two forms: for scans as acquired (MRI and raw PET), with the image id
at `imagingProtocol/imageUID`; for processed PET, with it at
`derivedProduct/imageUID`, the diagnosis at `subjectInfo[@item="DX Group"]` and
the tracer in the protocol of the scan it was made from.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfds_adni.sources.ida_image import ImageMetadata, read_dates
from tfds_adni.sources.ida_sections import MAX_BYTES, Section, subjects_of
from tfds_adni.sources.record import labels_of
from tfds_adni.sources.tree import Tree

_IMAGE_IDS = ("derivedProduct/imageUID", "imagingProtocol/imageUID")
_DESCRIPTIONS = (
    "derivedProduct/processedDataLabel",
    "imagingProtocol/description",
)
_GROUPS = ("subjectInfo=DX Group", "subject/researchGroup")
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
            for image_id, image in _images_of(path):
                images.setdefault(image_id, image)
        except (OSError, ValueError) as error:
            if match := _ID_OF_FILE.search(path.name):
                reason = getattr(error, "strerror", None) or error
                problem = f"its XML file cannot be read ({reason})"
                images.setdefault(match[1], ImageMetadata(problem=problem))
    place = "dateAcquired in the XML files"
    dated, notes = read_dates([*images.items()], place, known, order=date_order)
    return dict(dated), notes


def _images_of(path: Path) -> Iterator[tuple[str, ImageMetadata]]:
    """Yields each image that an XML file of the IDA describes.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no XML, or over the limits.
    """
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 10} KiB")
    for subject in subjects_of(data):
        for study in subject.parts:
            described = [s for s in study.parts if s.first(*_IMAGE_IDS)]
            for part in described or [study]:
                if image_id := part.first(*_IMAGE_IDS).lstrip("Ii"):
                    yield image_id, _image(subject, study, part)


def _image(subject: Section, study: Section, part: Section) -> ImageMetadata:
    """Reads one image's part of a study and the sections around it."""
    return ImageMetadata(
        subject=subject.first("subject/subjectIdentifier").upper(),
        sex=subject.first("subject/subjectSex"),
        age=study.first("study/subjectAge"),
        visit=subject.first("subject/visit/visitIdentifier"),
        modality=part.first("modality"),
        description=part.first(*_DESCRIPTIONS),
        date=part.first("dateAcquired"),
        tracer=part.first("protocol=Radiopharmaceutical"),
        labels=labels_of(subject.first(*_GROUPS), "XML DX Group"),
    )
