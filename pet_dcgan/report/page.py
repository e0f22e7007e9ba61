"""One page that says what a generator is worth, whole in one file."""

import base64
import html
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from pet_dcgan.report.cells import written
from pet_dcgan.report.rows import Group, Row, groups
from pet_dcgan.report.text import (
    NOT_FOR_DIAGNOSIS,
    PHANTOM,
    facts,
    interval_note,
    limits,
)

_SIGNS = {
    "good": "in order",
    "caution": "look closer",
    "bad": "stop",
    "unknown": "not known",
}


def report_page(metrics: dict[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The page of a run, made of its `metrics.json` and figures alone.

    It needs no network and no script, and names no subject.

    Args:
        metrics: What `metrics.json` holds.
        pictures: PNG files by the names in `metrics["figures"]`.

    Returns:
        HTML.
    """
    folder = resources.files("pet_dcgan.report")
    style = (folder / "page.css").read_text(encoding="utf-8")
    page = Template((folder / "page.html").read_text(encoding="utf-8"))
    stage, plane = metrics["stage"], metrics["plane"]
    mark = "PHANTOM, " if metrics["phantom"] else ""
    return page.substitute(
        style=style,
        title=html.escape(f"{mark}{stage} {plane}: are these images any good?"),
        phantom=_banner(metrics),
        heading=html.escape(f"{stage} {plane}, preset {metrics['preset']}"),
        facts=_definitions(facts(metrics)),
        verdict=_verdict(metrics["verdict"]),
        tables="".join(_table(group, metrics) for group in groups(metrics)),
        intervals=html.escape(interval_note(metrics)),
        figures="".join(
            _figure(name, words, pictures[name])
            for name, words in metrics["figures"].items()
        ),
        limits=_list(limits(metrics)),
        warning=html.escape(NOT_FOR_DIAGNOSIS),
    )


def _banner(metrics: dict[str, Any]) -> str:
    if not metrics["phantom"]:
        return ""
    return f'<p class="phantom" role="note">{html.escape(PHANTOM)}</p>'


def _definitions(rows: list[tuple[str, str]]) -> str:
    return "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
        for name, text in rows
    )


def _verdict(verdict: dict[str, Any]) -> str:
    sign = verdict["sign"]
    findings = "".join(
        f'<li class="{each["sign"]}"><b>{html.escape(each["about"])}: '
        f"{_SIGNS[each['sign']]}.</b> {html.escape(each['words'])}</li>"
        for each in verdict["findings"]
    )
    return (
        f'<p class="headline {sign}">{html.escape(verdict["headline"])}</p>'
        f'<ul class="findings">{findings}</ul>'
        f"<h3>What may be concluded</h3>{_list(verdict['may'])}"
        f"<h3>What may not</h3>{_list(verdict['may_not'])}"
    )


def _list(lines: list[str]) -> str:
    return (
        "<ul>" + "".join(f"<li>{html.escape(x)}</li>" for x in lines) + "</ul>"
    )


def _table(group: Group, metrics: dict[str, Any]) -> str:
    rows = "".join(_row(row, metrics) for row in group.rows)
    paper = any(row.paper for row in group.rows)
    names = ["", "synthetic", "real beside real", "wanted"]
    names += ["paper"] if paper else []
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        f"<h3>{html.escape(group.title)}</h3><p>{html.escape(group.words)}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(row: Row, metrics: dict[str, Any]) -> str:
    label = row.label + (f" ({row.unit})" if row.unit else "")
    cells = [
        ("synthetic", _cell(row.number(metrics, "synthetic"), row.digits)),
        ("real", _cell(row.number(metrics, "real"), row.digits)),
        ("wanted", html.escape(row.wanted)),
    ]
    if row.paper:
        cells.append(("paper", html.escape(row.paper)))
    texts = "".join(
        f'<td data-name="{name}">{text}</td>' for name, text in cells
    )
    return f'<tr><th scope="row">{html.escape(label)}</th>{texts}</tr>'


def _cell(found: Any, digits: int) -> str:
    """A number with its standard error, and its interval in small."""
    value, interval = written(found, digits)
    return f"{value} <small>{interval}</small>" if interval else value


def _figure(name: str, words: dict[str, str], picture: bytes) -> str:
    data = base64.b64encode(picture).decode("ascii")
    title, caption = (html.escape(words[key]) for key in ("title", "caption"))
    return (
        f'<figure id="{html.escape(name.removesuffix(".png"))}">'
        f'<h3>{title}</h3><div class="picture">'
        f'<img alt="{title}" src="data:image/png;base64,{data}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
