"""Reads the tables that the IDA gives with its images.

A collection comes with a table of one row per image: image id, subject,
research group, visit, date and more, in any order of columns. Since October
2024 LONI's search writes two tables instead: `..._All_Images_...csv` with a row
per image, and `..._Study_Entry_...csv` with a row per subject, which has the
group (`entry_research_group`). Where both were merged the image list has it
too. Several tables of one folder are joined.
"""

import contextlib
import dataclasses
import itertools
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from tfds_adni.printable import printable
from tfds_adni.sources.ida_image import (
    ImageMetadata,
    StudyEntry,
    differ,
    read_dates,
)
from tfds_adni.sources.record import labels_of
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.dates import DateColumn, read_column
from tfds_adni.tables.spreadsheet import Sheet, SheetError

# Names of columns in the collection's table, the advanced search and the
# search of today.
_COLUMNS = {
    "image_id": ("imagedataid", "imageid"),
    "subject": ("subject", "subjectid"),
    "group": ("group", "researchgroup"),
    "entry_group": ("entryresearchgroup",),
    "entry_age": ("entryage",),
    "entry_date": ("entrydate",),
    "sex": ("sex",),
    "age": ("age",),
    "visit": ("visit", "imagevisit"),
    "modality": ("modality",),
    "description": ("description", "imagedescription"),
    "date": ("acqdate", "studydate", "imagedate"),
}
_VALUES = (
    *("subject", "sex", "age", "visit", "modality", "description", "date"),
)
_OF_LIST = ("imagedate", "imagedescription")
_COLLECTION = "collection CSV Group"
_IMAGE_LIST = "All Images entry_research_group"
_STUDY_ENTRY = "Study Entry entry_research_group"
_ID = re.compile(r"[Ii]?(\d{1,12})(?:\.0+)?")
_MOST_ROWS = 400_000  # of all tables; each takes some 1.5 kB
# Images with the dates of their cells, and the column and its table.
_List = tuple[list[tuple[str, ImageMetadata]], str]


@dataclasses.dataclass(frozen=True)
class Collections:
    """What all tables of a folder say.

    Attributes:
        images: By image id; of two rows of one image the first counts, in
            order of path. Empty if no table lists images.
        entries: By subject.
        notes: Warnings about their dates, a line each.
    """

    images: dict[str, ImageMetadata]
    entries: dict[str, StudyEntry]
    notes: tuple[str, ...]


def is_collection(header: Sequence[str]) -> bool:
    """Whether a table with these columns is one that this module reads."""
    columns = _columns(header)
    return _lists_images(columns) or _lists_entries(columns)


def read_collections(
    tree: Tree, known: Mapping[str, str], *, date_order: str = ""
) -> Collections:
    """Joins every table of a folder that lists images or subjects.

    Args:
        tree: The folder.
        known: The date by image id where other places have it, ISO.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.
    """
    images: dict[str, ImageMetadata] = {}
    entries: dict[str, StudyEntry] = {}
    notes: list[str] = []
    lists: list[_List] = []
    left = _MOST_ROWS
    for sheet in tree.tables:
        columns = _columns(sheet.header)
        rows = _first_rows(sheet, columns, left, notes)
        left -= len(rows)
        entered = read_column(
            (row.get("entry_date", "") for row in rows),
            f"{columns.get('entry_date')} in {sheet.path.name}",
            order=date_order,
        )
        notes += entered.notes
        listed = [_image(row, entered) for row in rows if "image_id" in row]
        lists.append((listed, f"{columns.get('date')} in {sheet.path.name}"))
        for row in rows:
            if "image_id" not in row:
                _add_entry(entries, row["subject"], _entry(row, entered))
    for listed, told in _dated(lists, known, date_order):
        notes += told
        for image_id, image in listed:
            first = images.setdefault(image_id, image)
            if first is not image:
                images[image_id] = _join(first, image)
    return Collections(images, entries, tuple(notes))


def _first_rows(
    sheet: Sheet, columns: Mapping[str, str], most: int, notes: list[str]
) -> list[dict[str, str]]:
    """Returns the first rows of a table; of those left out there is a note."""
    rows: list[dict[str, str]] = []
    # The rows before the damage count; `unreadable_tables` reports it.
    with contextlib.suppress(SheetError):
        rows.extend(itertools.islice(_rows_of(sheet, columns), most + 1))
    if len(rows) > most:
        notes.append(
            f"{sheet.path.name} is not read to its end: the tables of images "
            f"have more than {_MOST_ROWS} rows together"
        )
    return rows[:most]


def _dated(
    lists: Sequence[_List], known: Mapping[str, str], order: str
) -> list[tuple[list[tuple[str, ImageMetadata]], tuple[str, ...]]]:
    """Reads the dates of lists of images, each with its warnings.

    What a list and `known` leave open the other lists decide, then `order`.
    """
    sure = {i: date for i, date in known.items() if date}
    alone = [read_dates(images, place, sure) for images, place in lists]
    found = []
    for number, (listed, told) in enumerate(alone):
        if order or any(image.undated for _, image in listed):
            others = alone[:number] + alone[number + 1 :]
            dates = {i: m.date for o, _ in others for i, m in o if m.date}
            images, place = lists[number]
            listed, told = read_dates(images, place, dates | sure, order=order)
        found.append((listed, told))
    return found


def unreadable_tables(tree: Tree) -> list[str]:
    """Returns a line for each collection table that is damaged.

    Any table that cannot be opened may be one.
    """
    lines = []
    for sheet in tree.tables:
        try:
            deque(_rows_of(sheet, _columns(sheet.header)), maxlen=0)
        except SheetError as error:
            lines.append(
                f"{sheet.path.name} cannot be read to its end ({error}); if it "
                "is the table of a collection, download it again"
            )
    return lines


def missing_collection(tree: Tree) -> str:
    """Returns the error for a folder without a table of groups.

    Returns:
        One line: the columns required, the tables found, what to do.
    """
    lists = [
        sheet.path.name
        for sheet in tree.tables
        if "image_id" in (columns := _columns(sheet.header))
        and _lists_images(columns)
        and columns.keys().isdisjoint(("group", "entry_group"))
    ]
    if lists:
        return (
            "expected the research group of each subject, found "
            f"{lists[0]} in {tree.root}, LONI's new list of images, which has "
            "no group; put the Study Entry table of the same search "
            "(..._Study_Entry_...csv with subject_id and entry_research_group) "
            "beside it, or give DXSUM or ADNIMERGE with --diagnosis"
        )
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
    columns = (printable(column, most=40) for column in sheet.header[:6])
    return f"{name} ({', '.join(columns)})"


def _plain(name: str) -> str:
    """Returns the letters and digits of a column's name, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Returns a table's own names of the columns that are read."""
    own = {_plain(name): name for name in header}
    return {
        name: own[spelling]
        for name, spellings in _COLUMNS.items()
        for spelling in spellings
        if spelling in own
    }


def _lists_images(columns: Mapping[str, str]) -> bool:
    """Whether a table is a collection's, or LONI's new list of images."""
    new = any(_plain(name) in _OF_LIST for name in columns.values())
    return {"image_id", "subject"} <= columns.keys() and (
        "group" in columns or new
    )


def _lists_entries(columns: Mapping[str, str]) -> bool:
    """Whether a table has a subject's group at the entry into the study."""
    return {"subject", "entry_group"} <= columns.keys()


def _rows_of(
    sheet: Sheet, columns: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Yields the rows of a table, none if this module does not read it.

    Raises:
        SheetError: If it cannot be opened or is damaged.
    """
    images = _lists_images(columns)
    if not (sheet.problem or images or _lists_entries(columns)):
        return
    for cells in sheet.rows():
        row = {name: cells.get(own, "") for name, own in columns.items()}
        row["subject"] = row["subject"].upper()
        if not images:
            row.pop("image_id", None)
            yield row
        elif match := _ID.fullmatch(row["image_id"]):
            yield row | {"image_id": match[1]}


def _image(
    row: Mapping[str, str], entered: DateColumn
) -> tuple[str, ImageMetadata]:
    """Returns the image of a row; its date is still that of the cell."""
    entry = _entry(row, entered)
    group = labels_of(row.get("group", ""), _COLLECTION)
    values = {name: row.get(name, "") for name in _VALUES}
    return row["image_id"], ImageMetadata(
        **values, labels=group + entry.labels, entry=entry
    )


def _entry(row: Mapping[str, str], entered: DateColumn) -> StudyEntry:
    """Returns what a row says of the entry into the study."""
    date = entered.read(row.get("entry_date", ""))
    source = _IMAGE_LIST if "image_id" in row else _STUDY_ENTRY
    return StudyEntry(
        age=row.get("entry_age", ""),
        date=date.isoformat() if date else "",
        labels=labels_of(row.get("entry_group", ""), source),
    )


def _add_entry(
    entries: dict[str, StudyEntry], subject: str, entry: StudyEntry
) -> None:
    """Joins the rows of one subject; the first one has the age."""
    first = entries.setdefault(subject, entry)
    both = tuple(dict.fromkeys(first.labels + entry.labels))
    entries[subject] = dataclasses.replace(first, labels=both)


def _join(first: ImageMetadata, second: ImageMetadata) -> ImageMetadata:
    """Joins two rows of one image."""
    problem, remark = first.problem, first.remark
    if first.subject != second.subject:
        problem = "two rows of the collection CSV name two subjects"
    if differ(first.date, second.date):
        remark = f"dated {first.date} and {second.date} by two rows of tables"
    return dataclasses.replace(
        first,
        date=first.date or second.date,
        labels=tuple(dict.fromkeys(first.labels + second.labels)),
        problem=problem,
        remark=remark,
    )
