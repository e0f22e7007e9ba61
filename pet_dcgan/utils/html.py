"""Small tables in HTML: how objects show themselves in a notebook.

Every text is escaped: paths, ids and the words of tables are users' data. A
card carries its own style, so that notebooks show it the same, and no script,
so that notebooks that nobody trusts show it too.
"""

import base64
import html
from collections.abc import Iterable, Sequence

_NO_PATIENTS = "Phantom: invented brains, no patients."
_CELL = "text-align:{side};padding:.15em .8em .15em 0;vertical-align:top"
_MARK = "background:#6d28d9;color:#fff;padding:.2em .6em;border-radius:.3em"
_PNG = b"\x89PNG\r\n\x1a\n"


def card(title: str, *parts: str, phantom: bool = False) -> str:
    """A heading with parts below it.

    Args:
        title: The heading, any text.
        *parts: HTML of `facts`, `table`, `note` or `picture`.
        phantom: Whether a line has to say that there are no patients.

    Returns:
        HTML of one `div`.
    """
    mark = f'<p><span style="{_MARK}">{_NO_PATIENTS}</span></p>'
    return (
        '<div class="pet-dcgan"><p style="font-weight:bold">'
        f"{html.escape(title)}</p>{mark if phantom else ''}{''.join(parts)}"
        "</div>"
    )


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Names with what they are, a line each.

    Args:
        rows: Name and value; a value is any object, shown by `str`.

    Returns:
        HTML of one table.
    """
    style = _CELL.format(side="left")
    lines = (
        f'<tr><th scope="row" style="{style}">{html.escape(name)}</th>'
        f'<td style="{style}">{html.escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose first column is text and whose others are numbers.

    Args:
        columns: Headings.
        rows: Cells, as many as there are headings, each shown by `str`.

    Returns:
        HTML of one table.
    """
    heads = _cells("th", columns)
    lines = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    )


def note(text: str) -> str:
    """A line of any text.

    Args:
        text: Not yet escaped.

    Returns:
        HTML of one paragraph.
    """
    return f"<p>{html.escape(text)}</p>"


def picture(content: bytes, words: str) -> str:
    """A picture inside the page.

    Args:
        content: Bytes of a PNG file.
        words: What it shows.

    Returns:
        HTML of one image, `""` where the bytes are no PNG.
    """
    if not content.startswith(_PNG):
        return ""
    data = base64.b64encode(content).decode("ascii")
    return (
        f'<img alt="{html.escape(words)}" style="max-width:100%" '
        f'src="data:image/png;base64,{data}">'
    )


def _cells(kind: str, texts: Sequence[object]) -> str:
    """The cells of one row; those behind the first stand on the right."""
    sides = ["left"] + ["right"] * (len(texts) - 1)
    return "".join(
        f'<{kind} style="{_CELL.format(side=side)}">{html.escape(str(text))}'
        f"</{kind}>"
        for side, text in zip(sides, texts, strict=True)
    )
