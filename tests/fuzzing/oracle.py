"""What a call may raise, warn and print when its input is damaged.

Allowed are `ValueError` and `OSError` that our own code raised, in one line
that tells a reader what to do. All else is a fault.
"""

import json
import re
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pet_dcgan
import tfds_adni

_OWN = tuple(str(Path(p.__file__).parent) for p in (pet_dcgan, tfds_adni))
_MOST_CHARACTERS = 1000
# errors of libraries that are ValueError or OSError by descent
_RAW_KINDS = (UnicodeError, json.JSONDecodeError)
_RAW_TEXT = re.compile(
    r"""
    \w(?:Error|Exception|Warning)\( | \ object\ at\ 0x | <class\ ' | Traceback
    | \bNoneType\b | ^'[^']*'$ | \blist\ index\b | \bout\ of\ range\ for\b
    | \bnot\ subscriptable\b | \bunhashable\b | \bhas\ no\ attribute\b
    | \bobject\ is\ not\b | \bpositional\ argument | \bunexpected\ keyword\b
    | \binvalid\ literal\b | \bcould\ not\ convert\b | \bcodec\ can't\b
    | \bExceeds\ the\ limit\b | \bbroadcast\b | \binhomogeneous\b
    | \bint\(\)\ | \bfloat\(\)\ | \bnumpy\.\w | \bnp\.\w+\( | \bdtype\('
    | \{\{node | \b[A-Z]+_[A-Z]+_?[A-Z]*: | \bOp:\w | \bgraph_def\b
    | \b(?:[A-Z][a-z]+){2,}\( | \b[A-Z]\w+\(\w+= | \bb['\"][^'\"]*\\x | \[Errno
    """,
    re.VERBOSE,
)
# all but tabulators and ends of lines; also what turns writing around
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_REMEDY = re.compile(
    r"""(?i)[:;,(]\s*(?:\w+\s){0,8}(?:run|train|export|prepare|restore|remove|
    give|choose|check|download|repair|name|use|see|make|made|evaluate|free|
    unpack|save|put|point|set|add|delete|resume|continue|leave|go|is\ this|
    repeat|move|point|write|ask|install|start|stop|render|read|open|try|list|
    correct|its|a\ folder|decorate|build)\b""",
    re.VERBOSE,
)


class Insane(Exception):  # noqa: N818
    """A call succeeded, and its result cannot be."""


def require(holds: bool, words: str) -> None:
    """Raises `Insane` unless a result is as it must be."""
    if not holds:
        raise Insane(words)


class Attempts:
    """Calls of one case and what was wrong with them.

    Attributes:
        faults: A line each, and the end of a traceback where there is one.
        refused: Lines of the errors that are as they should be.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.refused: list[str] = []

    def __call__(
        self, function: Callable, *args: Any, remedy: bool = True, **options
    ) -> Any:
        """The result of a call, `None` if it raised.

        `remedy` says whether an error must tell what to do.
        """
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            for harmless in (
                DeprecationWarning,
                PendingDeprecationWarning,
                FutureWarning,
                ResourceWarning,
            ):
                warnings.simplefilter("ignore", harmless)
            result = self._result(function, args, options, remedy)
        for one in found:
            line = str(one.message).splitlines()[0]
            self.faults.append(f"warned: {one.category.__name__}: {line}")
        return result

    def _result(self, function, args, options, remedy) -> Any:
        try:
            return function(*args, **options)
        except Insane as error:
            self.faults.append(f"insane result: {error}")
        # a library may raise anything, even to leave the interpreter
        except BaseException as error:
            found = list(faults_of(error, remedy=remedy))
            end = "".join(traceback.format_tb(error.__traceback__)[-3:])
            self.faults += [f"{fault}\n{end}" for fault in found]
            if not found:
                self.refused.append(str(error))
        return None


def faults_of(error: BaseException, *, remedy: bool = True) -> Iterator[str]:
    """Yields what is wrong with an error that a user would see."""
    shown = f"{type(error).__name__}: {str(error)[:400]!r}"
    if not isinstance(error, ValueError | OSError):
        yield f"raised {shown}"
        return
    if isinstance(error, OSError) and error.errno and error.filename:
        return  # the command line makes a line of it
    if isinstance(error, _RAW_KINDS) or not _is_ours(error):
        yield f"raised by a library: {shown}"
        return
    yield from faults_of_line(str(error), remedy=remedy)


def faults_of_line(line: str, *, remedy: bool = False) -> Iterator[str]:
    """Yields what is wrong with a line for a user."""
    shown = repr(line[:400])
    if not line.strip():
        yield "an empty message"
    if not is_safe(line):
        yield f"not one printable line: {shown}"
    if len(line) > _MOST_CHARACTERS:
        yield f"a line of {len(line)} characters: {shown}"
    if found := _RAW_TEXT.search(line):
        yield f"raw text {found[0]!r} in: {shown}"
    if remedy and not _REMEDY.search(line):
        yield f"no remedy in: {shown}"


def is_safe(text: str) -> bool:
    """Whether a terminal shows a text as one line and does nothing else."""
    kinds = {unicodedata.category(each) for each in text}
    return not any(k[0] == "C" or k in ("Zl", "Zp") for k in kinds)


def faults_of_output(text: str) -> Iterator[str]:
    """Yields what is wrong with what was printed meanwhile."""
    if "Traceback (most recent call last)" in text:
        yield f"printed a traceback: {text[-1500:]}"
    if found := _CONTROLS.search(text):
        line = text[max(0, found.start() - 100) : found.end() + 100]
        yield f"printed control characters: {line!r}"


def _is_ours(error: BaseException) -> bool:
    """Whether our own code raised an error, not what it called."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(_OWN)
