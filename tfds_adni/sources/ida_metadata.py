"""Reads the tables and XML files that the IDA gives with its images.

A collection comes with a table of one row per image: image id, subject,
research group, visit, date and more, in any order of columns. Several tables
of one folder are joined.

The archive can also give an XML file for each image, in one of two forms: for
scans as acquired (MRI and raw PET), with the image id at
`imagingProtocol/imageUID`; for processed PET, with it at
`derivedProduct/imageUID`, the diagnosis at `subjectInfo[@item="DX Group"]` and
the tracer in the protocol of the scan it was made from.
"""

import contextlib
import dataclasses
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tfds_adni.sources.record import Label, labels_of
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.spreadsheet import Sheet, SheetError

# Names of columns in the collection's table and in the advanced search.
_COLUMNS = {
    "image_id": ("imagedataid", "imageid"),
    "subject": ("subject", "subjectid"),
    "group": ("group", "researchgroup"),
    "sex": ("sex",),
    "age": ("age",),
    "visit": ("visit",),
    "modality": ("modality",),
    "description": ("description",),
    "date": ("acqdate", "studydate"),
}
_ID = re.compile(r"[Ii]?(\d+)(?:\.0+)?")
# Real XML files have some kilobytes.
_MAX_BYTES = 1024 * 1024
_IMAGE_IDS = (
    ".//{*}derivedProduct/{*}imageUID",
    ".//{*}imagingProtocol/{*}imageUID",
)
_GROUPS = (".//{*}subjectInfo[@item='DX Group']", "{*}researchGroup")
_ID_OF_FILE = re.compile(r"_I(\d+)\.xml$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageMetadata:
    """The text of a table's rows or of an XML file on one image.

    Attributes:
        labels: The groups of all rows; the XML file's DX Group or, without
            one, its research group. Empty cells are left out.
        problem: Why it cannot be trusted, `""` where it can.
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


def is_collection(header: Sequence[str]) -> bool:
    """Whether a table with these columns is a collection's."""
    return {"image_id", "subject", "group"} <= _columns(header).keys()


def read_collections(tree: Tree) -> dict[str, ImageMetadata]:
    """Joins every collection table of a folder.

    Returns:
        Metadata by image id; of two rows of one image the first counts, in
        order of path. Empty if there is no table.
    """
    images: dict[str, ImageMetadata] = {}
    for sheet in tree.tables:
        # The rows before the damage count; `unreadable_tables` reports it.
        with contextlib.suppress(SheetError):
            for image_id, row in _images_of_table(sheet):
                first = images.setdefault(image_id, row)
                if first is not row:
                    images[image_id] = _join(first, row)
    return images


def unreadable_tables(tree: Tree) -> list[str]:
    """Returns a line for each collection table that is damaged.

    Any table that cannot be opened may be one.
    """
    lines = []
    for sheet in tree.tables:
        try:
            deque(_images_of_table(sheet), maxlen=0)
        except SheetError as error:
            lines.append(
                f"{sheet.path.name} cannot be read to its end ({error}); if it "
                "is the table of a collection, download it again"
            )
    return lines


def missing_collection(tree: Tree) -> str:
    """Returns the error for a folder without a collection table.

    Returns:
        One line: the columns required, the tables found, what to do.
    """
    seen = [_describe(sheet) for sheet in tree.tables]
    found = "; ".join(seen[:3]) if seen else "no CSV file"
    more = f" and {len(seen) - 3} more" if len(seen) > 3 else ""
    return (
        "expected an IDA collection CSV with the columns Image Data ID, "
        f"Subject, Group in {tree.root}, found {found}{more}; in LONI's "
        "collection choose CSV beside the download and put the file into that "
        "folder"
    )


def _describe(sheet: Sheet) -> str:
    """Describes a table that is not a collection's."""
    name = sheet.path.name
    if sheet.problem:
        return f"{name} (unreadable: {sheet.problem})"
    columns = _columns(sheet.header)
    if "image_id" not in columns and {"subject", "description"} <= set(columns):
        return f"{name} (an advanced-search CSV, which has no image ids)"
    return f"{name} ({', '.join(sheet.header[:6])})"


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Returns a table's own names of the columns that are read."""
    own = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in header}
    return {
        name: own[spelling]
        for name, spellings in _COLUMNS.items()
        for spelling in spellings
        if spelling in own
    }


def _images_of_table(sheet: Sheet) -> Iterator[tuple[str, ImageMetadata]]:
    """Yields the images of a table, none if it is not a collection's.

    Raises:
        SheetError: If it cannot be opened or is damaged.
    """
    columns = _columns(sheet.header)
    if not (sheet.problem or is_collection(sheet.header)):
        return
    for cells in sheet.rows():
        values = {name: cells.get(own, "") for name, own in columns.items()}
        match = _ID.fullmatch(values.pop("image_id"))
        labels = labels_of(values.pop("group"), "collection CSV Group")
        values["subject"] = values["subject"].upper()
        if match:
            yield match[1], ImageMetadata(**values, labels=labels)


def _join(first: ImageMetadata, second: ImageMetadata) -> ImageMetadata:
    """Joins two rows of one image."""
    problem = first.problem
    if first.subject != second.subject:
        problem = "two rows of the collection CSV name two subjects"
    labels = tuple(dict.fromkeys(first.labels + second.labels))
    return dataclasses.replace(first, labels=labels, problem=problem)


def read_sidecars(tree: Tree) -> dict[str, ImageMetadata]:
    """Reads every XML file of the IDA in a folder.

    Returns:
        Metadata by image id; the first file counts, in order of path. A file
        that cannot be read but whose name ends in an image id gives its
        problem; other XML files are skipped.
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
    return images


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
