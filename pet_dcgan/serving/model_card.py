"""The text beside an exported model: what it is and what it is not."""

import textwrap
from collections.abc import Iterable
from typing import Any

from pet_dcgan.config import ALL_STAGES
from pet_dcgan.evaluation.assessment import (
    NOT_FOR_DIAGNOSIS,
    interval_note,
    limits,
)
from pet_dcgan.evaluation.report import KINDS, Group, groups
from pet_dcgan.serving.model_info import ModelInfo

_PHANTOM = (
    "**PHANTOM.** Trained on invented phantom volumes, not on patients. "
    "Nothing here says anything about patients."
)
_COPIES = (
    "**COPIES.** Some of its images are copies of training subjects. It was "
    "exported all the same, because --allow-copies said so. Do not share it, "
    "nor its images, with anyone who may not see the training data."
)
_ANY_MODEL = (
    f"**{NOT_FOR_DIAGNOSIS}**",
    "Slices stand alone: two of them do not belong to one brain.",
    "PSNR and SSIM say how like real slices the images are. They say nothing "
    "about diversity, about copies of training images, or about medical "
    "meaning.",
    "Ages, scanners and tracers other than those of the training data are not "
    "represented.",
)
_LICENCE = (
    "MIT licence for the model and its code; the terms of the training data "
    "apply besides: what those forbid with the data, they may forbid with a "
    "model of it."
)
_CITATION = (
    "The method is that of Islam J, Zhang Y. GAN-based synthetic brain PET "
    "image generation. Brain Informatics 2020;7:3. "
    "doi:10.1186/s40708-020-00104-2"
)


def model_card(
    facts: ModelInfo,
    *,
    version: str,
    subjects: int,
    slices: int | None,
    metrics: dict[str, Any],
) -> str:
    """Returns Markdown for `MODEL_CARD.md`, without a subject id or a path.

    Args:
        facts: As written into the model's folder.
        version: The version that the card is of.
        subjects: Number of training subjects.
        slices: Number of training slices, None if not known.
        metrics: Content of `metrics.json`; `evaluated` says whether it holds
            measurements.

    Returns:
        The text, ending in a newline.
    """
    evaluated = metrics["evaluated"]
    copies = metrics.get("copies")
    marks = [_COPIES] if has_copies(metrics) else []
    marks += [_PHANTOM] if facts.phantom else []
    of_what = f"single {facts.plane} slices of brain PET"
    if facts.stage == ALL_STAGES:
        of_what += " of all stages together, for other trainings to start from"
    else:
        of_what += f" at the stage {facts.stage}"
    parts = [
        f"# {facts.name}: synthetic brain PET slices",
        *(textwrap.indent(_filled(mark, 77), "> ") for mark in marks),
        _filled(f"Generator of a DCGAN: {of_what}."),
        _table(("", ""), _rows(facts, version, subjects, slices)),
        "## Evaluation",
        *(_evaluation(metrics) if evaluated else ["Not evaluated."]),
        "## Copies",
        _filled(copies["words"] if copies else "Not checked."),
    ]
    measured_limits = []
    if evaluated:
        may_not = _list(metrics["verdict"]["may_not"])
        parts += ["## What may not be concluded", may_not]
        measured_limits = limits(metrics)
    parts += [
        "## Limits",
        _list([*_ANY_MODEL, *measured_limits]),
        "## Licence and citation",
        _filled(_LICENCE),
        _filled(_CITATION),
    ]
    return "\n\n".join(parts) + "\n"


def has_copies(metrics: dict[str, Any]) -> bool:
    """Whether an evaluation found near duplicates of training slices."""
    return (metrics.get("copies") or {}).get("verdict") == "copies"


def _rows(
    facts: ModelInfo, version: str, subjects: int, slices: int | None
) -> list[tuple[str, str]]:
    """Returns the rows of the table of facts."""
    return [
        ("version", version),
        ("stage", facts.stage),
        ("plane", facts.plane),
        ("preset", facts.preset),
        ("phantom", "yes" if facts.phantom else "no"),
        ("training subjects", str(subjects)),
        ("training slices", "not recorded" if slices is None else str(slices)),
        ("image", f"{facts.size} x {facts.size}, {facts.spacing_mm:g} mm"),
        ("SUVR", f"PNG value / 65535 x {facts.suvr_max:g}"),
        ("SUVR reference", "mean inside the brain mask of the scan"),
        ("latent", f"{facts.latent_dim} numbers, uniform in [-1, 1]"),
        ("images a request", f"at most {facts.max_rows}"),
        ("made by", facts.made_by),
    ]


def _evaluation(metrics: dict[str, Any]) -> list[str]:
    """Returns headline, findings and a table for each group of scores."""
    images, subjects = metrics["images"], metrics["subjects"]
    header = (
        f"{images['synthetic_drawn']} synthetic and {images['held_out']} "
        f"held-out real slices of {subjects['held_out']} subjects, none of "
        f"whom it was trained on; {subjects['validation']} more for real "
        "beside real."
    )
    return [
        _filled(f"**{metrics['verdict']['headline']}**"),
        _list(
            f"{each['about']} ({each['sign']}): {each['words']}"
            for each in metrics["verdict"]["findings"]
        ),
        _filled(header),
        _filled(interval_note(metrics)),
        *(
            part
            for group in groups(metrics)
            for part in _scores(group, metrics)
        ),
    ]


def _scores(group: Group, metrics: dict[str, Any]) -> list[str]:
    """Returns heading, text and table of one group of scores."""
    columns = group.columns
    rows = []
    for row in group.rows:
        numbers = (
            " ".join(row.texts(metrics, kind)).rstrip() for kind in KINDS
        )
        cells = (row.heading, *numbers, row.wanted, row.paper)
        rows.append(cells[: len(columns)])
    return [f"### {group.title}", _filled(group.words), _table(columns, rows)]


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a Markdown table."""
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(items: Iterable[str]) -> str:
    """Returns a Markdown list."""
    return "\n".join(
        textwrap.indent(_filled(item, 77), "  ").replace("  ", "- ", 1)
        for item in items
    )


def _filled(text: str, width: int = 79) -> str:
    """Wraps a paragraph."""
    return textwrap.fill(
        text, width, break_long_words=False, break_on_hyphens=False
    )
