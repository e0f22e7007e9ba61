"""`report.html`: one page that says what a generator is worth."""

import base64
import html
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from pet_dcgan.evaluation.report_rows import Group, Row, groups, written

NOT_FOR_DIAGNOSIS = (
    "Not for diagnosis, treatment or any decision about a person."
)
PHANTOM = (
    "PHANTOM. Everything here was trained on and compared with invented "
    "phantom volumes, not patients. It shows that the software works; it "
    "says nothing about patients or about ADNI."
)
_CHOSEN = {
    "val_kid": "lowest KID on validation subjects",
    "last epoch": "the last epoch",
}


def facts(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """What was trained on what, and what it was judged by."""
    training, images = metrics["training"], metrics["images"]
    subjects = metrics["subjects"]
    generator = training["generator"]
    why = _CHOSEN.get(generator["chosen_by"], generator["chosen_by"])
    said = ", ".join(training["warnings"]).replace("_", " ")
    return [
        ("Data", _data(metrics)),
        (
            "Trained on",
            f"{training['slices']} slices of {training['subjects']} subjects",
        ),
        (
            "Generator",
            f"of epoch {generator['epoch']} of {training['epochs']}, chosen "
            f"by {why}; width {training['width']}, batch "
            f"{training['batch_size']}, {training['latent_dim']} latent "
            "numbers",
        ),
        ("Warnings while training", said or "none"),
        (
            "Judged by",
            f"{images['held_out']} slices of {subjects['held_out']} test "
            f"subjects, with {subjects['validation']} validation subjects "
            "for real beside real; none was trained on",
        ),
        (
            "Synthetic images",
            f"{images['synthetic_drawn']} from seed {metrics['seed']} on; "
            f"{images['synthetic']} compared image by image",
        ),
    ]


def interval_note(metrics: dict[str, Any]) -> str:
    """What the brackets in the tables are, or why there are none."""
    missing = metrics["intervals"]["missing"]
    level = f"{metrics['intervals']['level']:.0%}"
    if missing:
        return (
            f"No {level} intervals over subjects: {missing}. Without one a "
            "number says nothing about other subjects. Brackets, where there "
            "are any, are over synthetic images alone; ± is a standard error."
        )
    return (
        f"In brackets {level} intervals: where the number would lie if other "
        "subjects of the same kind had been held out (whole subjects "
        "resampled). ± is a standard error. A cell without brackets rests on "
        "too few subjects for them."
    )


def limits(metrics: dict[str, Any]) -> list[str]:
    """What these numbers cannot tell."""
    lines = [
        f"The held-out images are of {metrics['subjects']['held_out']} "
        "subjects; slices of one subject are not independent, and what few "
        "subjects have in common is not what all have.",
        "Single slices were judged. Two synthetic slices do not belong to one "
        "brain.",
        "Nearest images are found by root mean square difference, which "
        "favours smooth images; read PSNR and SSIM beside the real figure, "
        "never alone.",
        "The copy check does not recognise mirrored copies, mixtures of "
        "subjects, or copies whose uptake was scaled by more than a tenth. It "
        "is no proof of privacy.",
        "Whether the images help a classifier is not measured here; "
        "pet-dcgan study does.",
    ]
    for missing in metrics["missing"].values():
        if missing:
            lines.append(f"Not measured: {missing}.")
    return lines


def _data(metrics: dict[str, Any]) -> str:
    kind = "phantom volumes (no patients)" if metrics["phantom"] else "scans"
    size, spacing = metrics["size"], metrics["spacing_mm"]
    return (
        f"{metrics['stage']}, {metrics['plane']} slices of {kind}, "
        f"{size} x {size} pixels of {spacing:g} mm, SUVR from 0 to "
        f"{metrics['suvr_max']:g}"
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
    folder = resources.files("pet_dcgan.evaluation")
    style = (folder / "report.css").read_text(encoding="utf-8")
    page = Template((folder / "report.html").read_text(encoding="utf-8"))
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
