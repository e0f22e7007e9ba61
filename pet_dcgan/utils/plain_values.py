"""Values of settings, given as what they are or as text."""

import contextlib
import math
from typing import Any

from pet_dcgan.utils.foreign_text import one_line

_MOST_LETTERS = 4096  # the longest path of Linux
_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "one line of text",
}


def converted(name: str, kind: type, value: Any) -> Any:
    """A value as `int`, `float`, `bool` or `str`, if it is one.

    Nothing is rounded silently.

    Args:
        name: What it is called, for the error.
        kind: One of these types.
        value: Of that type, or as text.

    Raises:
        ValueError: If it is none.
    """
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str) and _is_line(value):
        return value
    if kind in (int, float) and not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            number = float(value)
            if math.isfinite(number) and number == kind(number):
                return kind(number)
    raise ValueError(
        f"expected {name} to be {_KINDS[kind]}, found {shown(value)}"
    )


def shown(value: Any) -> str:
    """A value as Python writes it, however long it is.

    Args:
        value: What was found.
    """
    return one_line(repr(value), most=80)


def _is_line(text: str) -> bool:
    """Whether a text may be a file's name or a word."""
    return len(text) <= _MOST_LETTERS and min(text, default=" ") >= " "
