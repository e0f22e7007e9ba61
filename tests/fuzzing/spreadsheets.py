"""Damage to tables: odd cells, rows, columns, encodings and quotes."""

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from fuzzing.damage import damaged, encoded, odd_text

_MOST = 2**26  # bytes of a table


def damaged_table(content: bytes, dice: Random, *others: bytes) -> bytes:
    """A table with odd cells or shape, or damaged as text."""
    if dice.random() < 0.2:
        return damaged(content, dice, *others)
    text = content.decode("utf-8")
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    for _ in range(dice.choice((1, 1, 2, 5))):
        dice.choice(_CHANGES)(rows, dice)
    kind = dice.random()
    if kind < 0.1:
        delimiter = dice.choice((";", "\t", "|", ",", " "))
    return _spelled(rows, delimiter, dice)


def _spelled(rows: list[list[str]], delimiter: str, dice: Random) -> bytes:
    """The bytes of a table, in an odd encoding or with odd quotes at times."""
    file = io.StringIO()
    options = {
        "delimiter": delimiter,
        "quoting": dice.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
        "lineterminator": dice.choice(("\n", "\n", "\r\n", "\r")),
    }
    csv.writer(file, **options).writerows(_first(rows))
    text = file.getvalue()
    kind = dice.random()
    if kind < 0.06:
        at = dice.randrange(len(text) + 1)
        text = text[:at] + '"' + text[at:]
    if kind > 0.9:
        encoding = dice.choice(("utf-16", "utf-8-sig", "utf-16-be", "latin-1"))
        errors = "replace" if encoding == "latin-1" else "surrogatepass"
        return text.encode(encoding, errors)
    return encoded(text)[:_MOST]


def _first(rows: list[list[str]]) -> Iterator[list[str]]:
    """The rows that fit into the most bytes; long cells may be many times."""
    left = _MOST
    for row in rows:
        sizes = list(accumulate(len(cell) + 1 for cell in row))
        yield row[: bisect_right(sizes, left)]
        left -= sizes[-1] if sizes else 1
        if left < 0:
            return


def _cell(rows, dice):
    row = dice.choice(rows)
    if row:
        row[dice.randrange(len(row))] = odd_text(dice)


def _column_of_one(rows, dice):
    """The same odd text in a whole column."""
    at, text = dice.randrange(max(1, len(rows[0]))), odd_text(dice)
    for row in rows[dice.choice((0, 1)) :]:
        row[at : at + 1] = [text]


def _column(rows, dice):
    """Drops, repeats, moves or empties a column."""
    at = dice.randrange(max(1, len(rows[0])))
    kind = dice.randrange(3)
    for row in rows:
        taken = row[at : at + 1]
        row[at : at + 1] = ([], taken * 2, taken * 1)[kind]
        if kind == 2 and taken:
            row.insert(0, row.pop(at))


def _row(rows, dice):
    """Drops, repeats, swaps, cuts or lengthens a row."""
    at = dice.randrange(len(rows))
    row = list(rows[at])
    rows[at : at + 1] = dice.choice(
        (
            [],
            [row] * dice.choice((2, 2, 1000)),
            [row[: len(row) // 2]],
            [row + row],
            [[], row],
            [row * 300],
            [[""] * len(row)],
        )
    )
    if not rows:
        rows.append([""])


def _header(rows, dice):
    names = rows[0]
    if names:
        at = dice.randrange(len(names))
        names[at] = dice.choice(
            (names[at].lower(), names[0], f" {names[at]} ", odd_text(dice))
        )


def _between(rows, dice):
    """A cell of another place."""
    source = dice.choice(dice.choice(rows) or [""])
    row = dice.choice(rows)
    if row:
        row[dice.randrange(len(row))] = source


_CHANGES = (
    _cell,
    _cell,
    _cell,
    _column_of_one,
    _column,
    _row,
    _header,
    _between,
)
