"""Text and JSON from files and servers that may be damaged or hostile."""

import json
import math
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

from pet_dcgan.utils.foreign_files import read_bytes

MOST_BYTES = 2**24  # of a JSON file; ours have some hundred kilobytes at most
_MOST_CHARACTERS = 200
_KINDS = {dict: "object", list: "list", str: "text"}


def one_line(text: object, *, most: int = _MOST_CHARACTERS) -> str:
    r"""Text that can be printed on a terminal, as one short line.

    Control characters, among them those that begin terminal codes, and
    characters that turn the direction of writing become `?`; white space
    becomes a space.

    Args:
        text: Anything; its `str` is taken.
        most: Characters after which it is cut, with an ellipsis.

    Example:

    >>> one_line("disk\x1b[2J full\nor so")
    'disk?[2J full or so'
    """
    words = " ".join(str(text)[: 4 * most].split())
    plain = "".join(
        "?" if unicodedata.category(each)[0] == "C" else each for each in words
    )
    return plain if len(plain) <= most else f"{plain[:most]}..."


def parse_object(text: str | bytes, *, source: str) -> dict[str, Any]:
    """Parses a JSON object, however damaged the text is.

    Args:
        text: JSON, UTF-8 where it is bytes.
        source: Where it is from, for the error.

    Raises:
        ValueError: If it is no JSON object, in one line that ends without a
            remedy; the caller knows what to do.
    """
    try:
        found = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite
        )
    except RecursionError:
        raise ValueError(
            f"expected a JSON object in {source}, found brackets within "
            "brackets without end"
        ) from None
    except ValueError as error:
        raise ValueError(
            f"expected a JSON object in {source}, found a fault: {fault(error)}"
        ) from None
    if not isinstance(found, dict):
        raise ValueError(
            f"expected a JSON object in {source}, found {json_kind(found)}"
        )
    return found


def json_kind(value: object) -> str:
    """What JSON calls the kind of a value, such as `list`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return _KINDS.get(type(value), "number")


def _refuse_constant(name: str) -> None:
    raise _NotFiniteError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e999
        raise _NotFiniteError(one_line(text, most=20))
    return number


class _NotFiniteError(ValueError):
    """JSON has no NaN and no Infinity, though Python reads them."""

    def __str__(self) -> str:
        return f"{super().__str__()} for a number"


def fault(error: Exception) -> str:
    """What is wrong with a file, in words that are not Python's.

    Args:
        error: What reading it raised.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no UTF-8"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "int_max_str_digits" in str(error):
        return "a number of thousands of digits"
    if isinstance(error, zipfile.BadZipFile):
        return "a damaged zip"
    known = isinstance(error, (ValueError, OSError))
    return one_line(error, most=400) if known else "damaged content"


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object from a file, see `parse_object`.

    Args:
        path: A file of at most `MOST_BYTES`.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it cannot be read, is too large or holds no JSON
            object.
    """
    content = read_bytes(path, most=MOST_BYTES)
    return parse_object(content, source=str(path))
