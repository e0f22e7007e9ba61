"""Rows of the tables of numbers, and how a number is written.

A path names a number in `metrics.json`.
"""

from typing import Any, NamedTuple

KINDS = ("synthetic", "real")
COLUMNS = ("", "synthetic", "real vs. real", "wanted")
_NONE = "–"
# from here on a number is written as a power of ten
_ENDLESS = 10_000


class Row(NamedTuple):
    """One line of a table.

    Args:
        label: What it is, in words.
        path: Where it stands in `metrics.json`, with `*` for the kind
            (`synthetic` or `real`).
        wanted: What a good generator's number is like.
        digits: Number of decimals.
        unit: Of the number, if any.
        paper: What stands in a further column, such as what the paper states.
        real_path: Where the real one stands, if not by the kind.
    """

    label: str
    path: str
    wanted: str = "as real"
    digits: int = 3
    unit: str = ""
    paper: str = ""
    real_path: str = ""

    @property
    def heading(self) -> str:
        """Label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def texts(self, metrics: dict[str, Any], kind: str) -> tuple[str, str]:
        """The number of a kind, and its interval.

        Args:
            metrics: What `metrics.json` holds; it may lack the number.
            kind: `"synthetic"` or `"real"`.

        Returns:
            Such as `"1.23"`, and `"[1.15, 1.31]"` or `""`.
        """
        path = self.path.replace("*", kind)
        if kind == "real" and self.real_path:
            path = self.real_path
        found: Any = metrics
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            found = {"value": found}
        value = found.get("mean", found.get("value"))
        if value is None:
            return _NONE, ""
        text = _fixed(value, self.digits)
        ends = found.get("interval")
        if not ends:
            return text, ""
        low, high = (_fixed(end, self.digits) for end in ends)
        return text, f"[{low}, {high}]"


def _fixed(value: float | None, digits: int) -> str:
    """Fixed decimals; a power of ten where they would be all 0 or too many."""
    if value is None:
        return _NONE
    text = f"{value:.{digits}f}"
    if (value and float(text) == 0) or abs(value) >= _ENDLESS:
        text = f"{value:.1e}"
    return text.replace("-", "−")


class Group(NamedTuple):
    """Rows under one heading.

    Args:
        title: The heading.
        words: What these numbers tell.
        rows: The rows.
        further: Heading of the further column.
    """

    title: str
    words: str
    rows: tuple[Row, ...]
    further: str = "paper"

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the columns; a further one where a row has any."""
        more = any(row.paper for row in self.rows)
        return (*COLUMNS, self.further) if more else COLUMNS
