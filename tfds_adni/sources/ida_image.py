"""What a table's rows or an XML file of the IDA say of one image."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence

from tfds_adni.sources.record import Label
from tfds_adni.tables.cells import age_in_years, to_date
from tfds_adni.tables.date_orders import near
from tfds_adni.tables.dates import read_column

_YEAR = 365.25  # days
_Images = list[tuple[str, "ImageMetadata"]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyEntry:
    """What is known of a subject's entry into the study.

    Attributes:
        age: Years, as the cell has it.
        date: ISO, `""` where unknown.
        labels: The groups at entry.
    """

    age: str = ""
    date: str = ""
    labels: tuple[Label, ...] = ()

    def age_on(self, date: str) -> float:
        """Returns the age on an ISO date in years, -1 where unknown."""
        age, day, entry = age_in_years(self.age), to_date(date), self.date
        if age < 0 or not day or not entry:
            return -1.0
        days = (day - datetime.date.fromisoformat(entry)).days
        return round(age + days / _YEAR, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageMetadata:
    """The text of a table's rows or of an XML file on one image.

    Attributes:
        date: Of the acquisition, ISO, `""` where unknown.
        labels: The groups of all rows; the XML file's DX Group or, without
            one, its research group. Empty cells are left out.
        entry: The subject's entry into the study, where the row has it.
        problem: Why it cannot be trusted, `""` where it can.
        undated: Why its date is not read though there is one, a line for the
            user; `""` where it is.
        remark: What to know of it though it can be used, else `""`.
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
    entry: StudyEntry = StudyEntry()
    problem: str = ""
    undated: str = ""
    remark: str = ""


def read_dates(
    images: Sequence[tuple[str, ImageMetadata]],
    place: str,
    known: Mapping[str, str],
    *,
    order: str = "",
) -> tuple[_Images, tuple[str, ...]]:
    """Turns the dates of images, as their cells have them, into ISO.

    Args:
        images: Image ids and metadata of one table or of all XML files.
        place: The column and its table, for messages.
        known: The date by image id where other places have it, ISO.
        order: `"dmy"` or `"mdy"`, for dates that nothing else decides.

    Returns:
        The images, and warnings, a line each.
    """
    pairs = ((m.date, to_date(known.get(i, ""))) for i, m in images)
    column = read_column(
        (metadata.date for _, metadata in images),
        place,
        order=order,
        known=[(text, date) for text, date in pairs if date],
    )
    dated = []
    for image_id, image in images:
        date, refused = column.read(image.date), column.refuses(image.date)
        found = dataclasses.replace(
            image,
            date=date.isoformat() if date else "",
            undated=column.problem if refused else "",
        )
        dated.append((image_id, found))
    return dated, column.notes


def differ(one: str, other: str) -> bool:
    """Whether two dates are both known and not of the same scan.

    Args:
        one: ISO, `""` where unknown.
        other: The same of the other one.
    """
    first, second = to_date(one), to_date(other)
    return bool(first and second and not near(first, second))
