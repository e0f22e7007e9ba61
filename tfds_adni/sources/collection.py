"""The table that the IDA gives with a collection of images.

One row an image: image id, subject, research group, visit, date and more, the
columns in any order and with others among them. Several tables of one folder
are joined.
"""

import contextlib
import dataclasses
import re
from collections.abc import Sequence

from tfds_adni.sources.record import Label
from tfds_adni.sources.spreadsheet import Sheet, SheetError
from tfds_adni.sources.tree import Tree

COLUMNS = ("Image Data ID", "Subject", "Group")
_LABEL_SOURCE = "collection CSV Group"
# Names as the collection's table and the advanced search have them.
_NAMES = {
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
_TWO_SUBJECTS = "two rows of the collection CSV name two subjects"
_SEARCH = "an advanced-search CSV, which has no image ids"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """What the collection's tables say of one image; text as it stands.

    Attributes:
        labels: The groups of all its rows, those that are empty left out.
        problem: Why the rows cannot be believed, `""` where they can.
    """

    subject: str = ""
    sex: str = ""
    age: str = ""
    visit: str = ""
    modality: str = ""
    description: str = ""
    date: str = ""
    labels: tuple[Label, ...] = ()
    problem: str = ""


def read_collections(tree: Tree) -> dict[str, Row]:
    """Joins every collection table of a folder.

    Args:
        tree: What lies in the folder.

    Returns:
        What the tables say by image id; of two rows of one image the first
        table's counts, in order of path. Empty where there is no table.
    """
    rows: dict[str, Row] = {}
    for sheet in tree.tables:
        with contextlib.suppress(SheetError):  # `unreadable_tables` tells
            _add_table(rows, sheet)
    return rows


def unreadable_tables(tree: Tree) -> list[str]:
    """Words which tables of a folder cannot be read, and why, a line each.

    Args:
        tree: What lies in the folder.
    """
    lines = []
    for sheet in tree.tables:
        try:
            _add_table({}, sheet)
        except SheetError as error:
            lines.append(
                f"{sheet.path.name} cannot be read to its end ({error}); if it "
                "is the table of a collection, download it again"
            )
    return lines


def missing_collection(tree: Tree) -> str:
    """Words what was expected of a folder without a collection table.

    Args:
        tree: What lies in the folder.

    Returns:
        One line: the columns wanted, the tables found, what to do.
    """
    seen = [_account_for(sheet) for sheet in tree.tables]
    found = "; ".join(seen[:3]) if seen else "no CSV file"
    more = f" and {len(seen) - 3} more" if len(seen) > 3 else ""
    return (
        f"expected an IDA collection CSV with the columns {', '.join(COLUMNS)} "
        f"in {tree.root}, found {found}{more}; in LONI's collection choose CSV "
        "beside the download and put the file into that folder"
    )


def is_collection(header: Sequence[str]) -> bool:
    """Says whether a table with these columns is a collection's."""
    return {"image_id", "subject", "group"} <= _columns(header).keys()


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Returns a table's own names of the columns that are read."""
    own = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in header}
    return {
        name: own[known]
        for name, spellings in _NAMES.items()
        for known in spellings
        if known in own
    }


def _add_table(rows: dict[str, Row], sheet: Sheet) -> None:
    """Joins a table, if it is a collection's, to what is known.

    Raises:
        SheetError: If it cannot be read; the rows before stay.
    """
    if sheet.problem or is_collection(sheet.header):
        columns = _columns(sheet.header)
        for cells in sheet.rows():
            _add(rows, cells, columns)


def _add(
    rows: dict[str, Row], cells: dict[str, str], columns: dict[str, str]
) -> None:
    """Joins one line of a table to what is known of its image."""
    values = {name: cells.get(own, "") for name, own in columns.items()}
    match = _ID.fullmatch(values.pop("image_id"))
    if match is None:
        return
    group = values.pop("group")
    labels = (Label(group, _LABEL_SOURCE),) if group else ()
    row = Row(**values | {"subject": values["subject"].upper()}, labels=labels)
    first = rows.setdefault(match[1], row)
    if first is not row:
        rows[match[1]] = _joined(first, row)


def _joined(first: Row, second: Row) -> Row:
    """Joins two rows of one image."""
    differ = first.subject != second.subject
    return dataclasses.replace(
        first,
        labels=tuple(dict.fromkeys(first.labels + second.labels)),
        problem=_TWO_SUBJECTS if differ else first.problem,
    )


def _account_for(sheet: Sheet) -> str:
    """Says what a table is that is not a collection's."""
    name = sheet.path.name
    if sheet.problem:
        return f"{name} (unreadable: {sheet.problem})"
    columns = _columns(sheet.header)
    if "image_id" not in columns and {"subject", "description"} <= set(columns):
        return f"{name} ({_SEARCH})"
    return f"{name} ({', '.join(sheet.header[:6])})"
