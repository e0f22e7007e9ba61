"""What a cohort shows of itself in a notebook."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfds_adni.diagnosis import STAGES

if TYPE_CHECKING:
    from tfds_adni.cohort import Cohort

_NO_PATIENTS = "Phantom: invented brains, no patients."
_CELL = "text-align:{side};padding:.15em .8em .15em 0"


def cohort_card(cohort: "Cohort") -> str:
    """What is used and what is not, by stage, and what to know of it.

    No subject is listed. Every text is escaped: the words of tables and file
    names are users' data.

    Args:
        cohort: The account of a folder.

    Returns:
        HTML of one `div`.
    """
    found, used = len(cohort.verdicts), len(cohort.used)
    counts = sorted(
        cohort.summary().items(),
        key=lambda item: (item[0] != "used", -item[1].total(), item[0]),
    )
    rows = [
        (what, *(count[s] for s in (*STAGES, "?")), count.total())
        for what, count in counts
    ]
    mark = f"<p><b>{_NO_PATIENTS}</b></p>" if cohort.phantom else ""
    warnings = "".join(f"<li>{html.escape(w)}</li>" for w in cohort.warnings)
    return (
        '<div class="tfds-adni"><p style="font-weight:bold">Scans: '
        f"{found} found, {used} used, {found - used} skipped</p>{mark}"
        f"{_table(('', *STAGES, 'no stage', 'all'), rows)}"
        f"{f'<ul>{warnings}</ul>' if warnings else ''}</div>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return (
        f"<table><thead><tr>{_cells('th', columns)}</tr></thead>"
        f"<tbody>{lines}</tbody></table>"
    )


def _cells(kind: str, texts: Sequence[object]) -> str:
    """The cells of one row; those behind the first stand on the right."""
    sides = ["left"] + ["right"] * (len(texts) - 1)
    return "".join(
        f'<{kind} style="{_CELL.format(side=side)}">{html.escape(str(text))}'
        f"</{kind}>"
        for side, text in zip(sides, texts, strict=True)
    )
