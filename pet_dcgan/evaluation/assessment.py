"""Assesses the numbers of an evaluation in words, and states their limits.

The worst of the findings is that of the whole. Below `MIN_SUBJECTS` held-out
subjects nothing passes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.evaluation import findings
from pet_dcgan.evaluation.findings import SIGNS, worst
from pet_dcgan.image_facts import place_in_words
from pet_dcgan.metrics.confidence import MIN_SUBJECTS
from pet_dcgan.utils.meant import as_typed

NOT_FOR_DIAGNOSIS = (
    "Not for diagnosis, treatment or any decision about a person."
)
_HEADLINES = {
    "good": (
        "No defect found: as far as these tests see, the images are like "
        "those of new subjects."
    ),
    "unknown": "No defect found, but not enough evidence about {about}.",
    "caution": (
        "To be used with care: look at what is said about {about} below."
    ),
    "bad": (
        "Do not use these images as if they were real: they fail in {about}."
    ),
    "copies": (
        "Do not share these images: some are copies of subjects that the "
        "generator was trained on."
    ),
    "suspects": (
        "Do not share these images before you have looked at those suspected "
        "to be copies of subjects that the generator was trained on."
    ),
}
_SINGLE = (
    "Single slices were judged. Two synthetic slices do not belong to one "
    "brain."
)
_ONE_LATENT = (
    "Single slices were judged. Whether the slices of one latent at several "
    "positions make one brain was not."
)
_VOLUMES = (
    "Whole volumes were judged at voxels of {spacing:g} mm; detail finer than "
    "two of them is not in them."
)
_NO_PATIENTS = (
    "Anything about patients: these are phantom volumes, made by this software."
)
_STAGES_DIFFER = (
    "That the images show the stage they are named for: stages differ by less "
    "than what fails here."
)
NEVER = (
    "Anything about a person: synthetic images are nobody's, and nothing "
    "here was checked for diagnosis.",
    "That the images are anonymous: the copy check finds copies, it does not "
    "prove that there are none.",
    "That training on them helps a classifier: pet-dcgan study measures that.",
    "That another plane, scanner or tracer would do as well.",
    "That PSNR or SSIM are better or worse than the paper's: how its images "
    "were paired is not stated.",
)


def assess(metrics: dict[str, Any]) -> dict[str, Any]:
    """Assesses the numbers of an evaluation.

    Args:
        metrics: Every number of `metrics.json`.

    Returns:
        `sign` (`"good"`, `"unknown"`, `"caution"` or `"bad"`: the worst
        finding's), `headline`, `findings` (each `about`, `sign` and `words`),
        and what `may` and `may_not` be concluded.
    """
    found = {
        "Copies": findings.copies(metrics["copies"], metrics["membership"]),
        "Likeness": findings.likeness(metrics["features"]),
        "Variety": findings.variety(metrics),
        "Uptake": findings.uptake(metrics["regions"]["difference"]),
        "Texture": findings.texture(metrics["spectrum"]["finest_detail"]),
    }
    return assessment_of(found, metrics, may_not=(*NEVER, _STAGES_DIFFER))


def assessment_of(
    found: dict[str, findings.Finding],
    metrics: dict[str, Any],
    *,
    may_not: Sequence[str],
) -> dict[str, Any]:
    """The whole assessment, by its findings.

    Args:
        found: A finding by what it is about; `"Copies"` among them.
        metrics: What `metrics.json` holds.
        may_not: What may not be concluded.

    Returns:
        As of `assess`.
    """
    subjects = metrics["subjects"]["held_out"]
    signs = {
        about: "unknown" if sign == "good" and subjects < MIN_SUBJECTS else sign
        for about, (sign, _) in found.items()
    }
    return {
        "sign": worst(signs.values()),
        "headline": _headline(signs, metrics["copies"]["verdict"], subjects),
        "findings": [
            {"about": about, "sign": signs[about], "words": words}
            for about, (_, words) in found.items()
        ],
        "may": _may(signs, metrics),
        "may_not": [*[_NO_PATIENTS] * metrics["phantom"], *may_not],
    }


def _headline(signs: dict[str, str], copies: str | None, subjects: int) -> str:
    """The whole assessment in a sentence or two."""
    wrong = _joined(signs, "bad")
    if signs["Copies"] == "bad":
        return _HEADLINES[copies]
    if subjects >= MIN_SUBJECTS:
        sign = worst(signs.values())
        return _HEADLINES[sign].format(about=_joined(signs, sign))
    found = "is 1" if subjects == 1 else f"are {subjects}"
    words = (
        f"Not enough evidence: it takes {MIN_SUBJECTS} held-out subjects or "
        f"more to say that images are like real ones, and there {found}."
    )
    return f"{words} Even so, they fail in {wrong}." if wrong else words


def _joined(signs: dict[str, str], *wanted: str) -> str:
    """What the findings of some signs are about: `"a, b and c"`, or `""`."""
    names = [about.lower() for about, sign in signs.items() if sign in wanted]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _may(signs: dict[str, str], metrics: dict[str, Any]) -> list[str]:
    """What may be concluded."""
    kind = "phantom" if metrics["phantom"] else "real"
    lines = [
        f"How these images compare with {kind} ones of subjects that were not "
        f"trained on, as far as {metrics['images']['held_out']} "
        f"{'volumes' if metrics.get('volume') else 'slices'} of "
        f"{metrics['subjects']['held_out']} subjects can tell."
    ]
    if fine := _joined(signs, "good"):
        lines.append(f"That nothing wrong was seen in {fine}.")
    if wrong := _joined(signs, "caution", "bad"):
        lines.append(
            f"That something is wrong with {wrong}, or may be, as said above."
        )
    return lines


def assessment_lines(metrics: dict[str, Any]) -> list[str]:
    """The assessment as text for the console, a line for each finding.

    Args:
        metrics: What `metrics.json` holds.
    """
    found = metrics["assessment"]
    place = place_of(metrics)
    if metrics["phantom"]:
        place += ", PHANTOM data"
    return [
        f"Assessment ({place}): {found['headline']}",
        *(
            f"  {each['about']}: {SIGNS[each['sign']]}. {each['words']}"
            for each in found["findings"]
        ),
    ]


def place_of(metrics: dict[str, Any]) -> str:
    """Stage and plane in words.

    Args:
        metrics: What `metrics.json` holds, or some of it.
    """
    stage, plane = (metrics.get(name, "") for name in ("stage", "plane"))
    return place_in_words(stage, plane)


def next_step(metrics: dict[str, Any], run: str | Path) -> str:
    """What to do after an evaluation, with the command for it.

    Args:
        metrics: What `metrics.json` holds.
        run: The run's folder.
    """
    export = f"pet-dcgan export {as_typed(run)} --to export/models"
    if metrics["copies"]["verdict"] in ("copies", "suspects"):
        return (
            "look at the suspects in the report and train on more scans; for "
            f"your own use only: {export} --allow-copies"
        )
    if metrics["assessment"]["sign"] == "bad":
        return (
            "look at the pictures in the report and train longer or on more "
            f"scans; to serve it as it is: {export}"
        )
    if metrics["subjects"]["held_out"] < MIN_SUBJECTS:
        return (
            "prepare more scans, so that there are subjects to evaluate by; "
            f"to serve it unevaluated: {export}"
        )
    return export


def interval_note(metrics: dict[str, Any]) -> str:
    """What the brackets in the tables are, or why there are none."""
    missing = metrics["intervals"]["missing"]
    level = f"{metrics['intervals']['level']:.0%}"
    if missing:
        return (
            f"No {level} intervals over subjects: {missing}. Without one a "
            "number says nothing about other subjects. Brackets, where there "
            "are any, are over synthetic images alone;"
        )
    return (
        f"In brackets {level} intervals: where the number would lie if other "
        "subjects of the same kind had been held out (whole subjects "
        "resampled). A cell without brackets rests on "
        "too few subjects for them."
    )


def limits(metrics: dict[str, Any]) -> list[str]:
    """What these numbers cannot tell.

    Args:
        metrics: What `metrics.json` holds.
    """
    return [
        f"The held-out images are of {metrics['subjects']['held_out']} "
        f"subjects; {_several(metrics)}what few "
        "subjects have in common is not what all have.",
        *_unit(metrics),
        "The copy check does not recognise copies whose uptake was scaled by "
        "more than a tenth, nor every mixture of two subjects. It is no proof "
        "of privacy.",
        "Whether the images help a classifier is not measured here; "
        "pet-dcgan study does.",
        *(
            f"Not measured: {missing}."
            for missing in metrics["missing"].values()
            if missing
        ),
    ]


def _several(metrics: dict[str, Any]) -> str:
    """What several images of a subject are, where there are several."""
    if metrics.get("volume"):
        return ""
    return "slices of one subject are not independent, and "


def _unit(metrics: dict[str, Any]) -> list[str]:
    """What was judged, slices or volumes."""
    if metrics.get("volume"):
        return [_VOLUMES.format(spacing=metrics["spacing_mm"])]
    return [
        _ONE_LATENT if metrics.get("conditional") else _SINGLE,
        "Nearest images are found by root mean square difference, which "
        "favours smooth images; read PSNR and SSIM beside the real figure, "
        "never alone.",
    ]
