"""Values of DICOM elements, as the headers of many scanners have them."""

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pydicom

_MOST_DIGITS = 12  # of an integer string: DICOM standard, part 5, 6.2
_LONGEST = 10240  # characters of a long text: the same
_MOST_VALUES = 1000


def texts_of(header: "pydicom.Dataset", name: str) -> list[str]:
    """Returns the values of an element, none where it is missing or empty.

    Args:
        header: Of a file, or an item of it.
        name: Keyword of the element.
    """
    value = header.get(name)
    if value is None or isinstance(value, str):
        value = (value or "").split("\\")
    elif not isinstance(value, Iterable):
        value = [value]
    # A line break in a value would break every line that shows it.
    value = itertools.islice(value, _MOST_VALUES)
    shown = (str(one)[:_LONGEST].replace("\0", " ") for one in value)
    texts = (" ".join(one.split()) for one in shown)
    return [text for text in texts if text]


def text_of(header: "pydicom.Dataset", name: str) -> str:
    """Returns the first value of an element, `""` where there is none.

    Args:
        header: As for `texts_of`.
        name: Keyword of the element.
    """
    return next(iter(texts_of(header, name)), "")


def number_of(header: "pydicom.Dataset", name: str) -> int:
    """Returns a whole number that is not negative, 0 where there is none.

    Args:
        header: As for `texts_of`.
        name: Keyword of the element.
    """
    text = text_of(header, name)
    whole = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if whole else 0
