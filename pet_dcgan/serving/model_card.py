"""The text beside an exported model: what it is and what it is not."""

import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

from pet_dcgan.config import ALL_STAGES
from pet_dcgan.evaluation.report import NOT_FOR_DIAGNOSIS, interval_note, limits
from pet_dcgan.evaluation.report_rows import Group, Row, groups, written
from pet_dcgan.serving.model_info import ModelInfo, model_name

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
_COLUMNS = ("", "synthetic", "real beside real", "wanted", "paper")


class Training(NamedTuple):
    """What a model was trained on, in counts.

    Args:
        subjects: Number of training subjects.
        slices: Number of training slices, None if not known.
    """

    subjects: int
    slices: int | None


def model_card(
    facts: ModelInfo,
    *,
    version: str,
    training: Training,
    metrics: dict[str, Any],
) -> str:
    """Markdown for `MODEL_CARD.md`, without a subject id or a path.

    Args:
        facts: What is written into the model's folder.
        version: The version that the card is of.
        training: What it was trained on.
        metrics: What `metrics.json` holds; `evaluated` says whether it holds
            measurements.

    Returns:
        The text, ending in a newline.
    """
    name = model_name(facts.stage, facts.plane)
    parts = [
        f"# {name}: synthetic brain PET slices",
        *_marks(facts, metrics),
        _filled(f"Generator of a DCGAN: {_of_what(facts)}."),
        _table(("", ""), _rows(facts, version, training)),
        "## Evaluation",
        *_evaluation(metrics),
        "## Copies",
        _filled(_copies(metrics)),
        *_not_concluded(metrics),
        "## Limits",
        _list([*_ANY_MODEL, *_measured_limits(metrics)]),
        "## Licence and citation",
        _filled(_LICENCE),
        _filled(_CITATION),
    ]
    return "\n\n".join(parts) + "\n"


def has_copies(metrics: dict[str, Any]) -> bool:
    """Whether an evaluation found copies of training subjects."""
    return (metrics.get("copies") or {}).get("verdict") == "copies"


def _marks(facts: ModelInfo, metrics: dict[str, Any]) -> list[str]:
    """What has to be read first."""
    marks = [_COPIES] if has_copies(metrics) else []
    marks += [_PHANTOM] if facts.phantom else []
    return [textwrap.indent(_filled(mark, 77), "> ") for mark in marks]


def _of_what(facts: ModelInfo) -> str:
    slices = f"single {facts.plane} slices of brain PET"
    if facts.stage == ALL_STAGES:
        return (
            f"{slices} of all stages together, for other trainings to start "
            "from"
        )
    return f"{slices} at the stage {facts.stage}"


def _rows(
    facts: ModelInfo, version: str, training: Training
) -> list[tuple[str, str]]:
    slices = training.slices
    rows = {
        "version": version,
        "stage": facts.stage,
        "plane": facts.plane,
        "preset": facts.preset,
        "phantom": "yes" if facts.phantom else "no",
        "training subjects": training.subjects,
        "training slices": "not recorded" if slices is None else slices,
        "image": f"{facts.size} x {facts.size}, {facts.spacing_mm:g} mm",
        "SUVR": f"PNG value / 65535 x {facts.suvr_max:g}",
        "SUVR reference": "mean inside the brain mask of the scan",
        "latent": f"{facts.latent_dim} numbers, uniform in [-1, 1]",
        "images a request": f"at most {facts.max_rows}",
        "made by": facts.made_by,
    }
    return [(name, str(text)) for name, text in rows.items()]


def _evaluation(metrics: dict[str, Any]) -> list[str]:
    if not metrics["evaluated"]:
        return ["Not evaluated."]
    found = metrics["verdict"]["findings"]
    header = (
        f"{metrics['images']['synthetic_drawn']} synthetic and "
        f"{metrics['images']['held_out']} held-out real slices of "
        f"{metrics['subjects']['held_out']} subjects, none of whom it was "
        "trained on; "
        f"{metrics['subjects']['validation']} more for real beside real."
    )
    return [
        _filled(f"**{metrics['verdict']['headline']}**"),
        _list(
            f"{each['about']} ({each['sign']}): {each['words']}"
            for each in found
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
    rows = [_score(row, metrics) for row in group.rows]
    columns = _COLUMNS
    if not any(row.paper for row in group.rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return [f"### {group.title}", _filled(group.words), _table(columns, rows)]


def _score(row: Row, metrics: dict[str, Any]) -> tuple[str, ...]:
    label = row.label + (f" ({row.unit})" if row.unit else "")
    numbers = (
        " ".join(written(row.number(metrics, kind), row.digits)).rstrip()
        for kind in ("synthetic", "real")
    )
    return (label, *numbers, row.wanted, row.paper)


def _copies(metrics: dict[str, Any]) -> str:
    found = metrics.get("copies")
    return found["words"] if found else "Not checked."


def _not_concluded(metrics: dict[str, Any]) -> list[str]:
    if not metrics["evaluated"]:
        return []
    return [
        "## What may not be concluded",
        _list(metrics["verdict"]["may_not"]),
    ]


def _measured_limits(metrics: dict[str, Any]) -> list[str]:
    return limits(metrics) if metrics["evaluated"] else []


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(items: Iterable[str]) -> str:
    return "\n".join(
        textwrap.indent(_filled(item, 77), "  ").replace("  ", "- ", 1)
        for item in items
    )


def _filled(text: str, width: int = 79) -> str:
    return textwrap.fill(
        text, width, break_long_words=False, break_on_hyphens=False
    )
