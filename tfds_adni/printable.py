"""Text of other people's files, made fit for a terminal and for a table."""

import contextlib
import os
import unicodedata

# Control characters (terminal codes begin with one), marks that turn the
# direction of writing, halves of characters, and separators of lines.
_UNFIT = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str, *, most: int = 0) -> str:
    r"""Escapes what is no plain character.

    File names may hold bytes that are not UTF-8, which neither a text file nor
    a terminal can; names and cells may hold codes that rewrite a terminal.

    Args:
        text: A name, a cell, or a line with some of them in it.
        most: Characters after which it is cut, with an ellipsis; 0 for none.

    Example:

    >>> printable("a\x1b[2J\n")
    'a\\x1b[2J\\n'
    """
    if most and len(text) > most:
        text = f"{text[:most]}..."
    if text.isprintable():
        return text
    with contextlib.suppress(UnicodeEncodeError):  # halves of no byte
        text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(
        each.encode("unicode_escape").decode("ascii")
        if unicodedata.category(each) in _UNFIT
        else each
        for each in text
    )
