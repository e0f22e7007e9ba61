"""What the numbers come to, in words."""

from typing import Any

from pet_dcgan.evaluation.findings import Finding, findings

_ORDER = ("good", "unknown", "caution", "bad")
_HEADLINES = {
    "good": (
        "No defect found: as far as these tests see, the images are like "
        "those of new subjects and copy nobody."
    ),
    "unknown": (
        "No defect found, but not everything could be tested; see below."
    ),
    "caution": (
        "To be used with care: look at what is said about {about} below."
    ),
    "bad": (
        "Do not use these images as if they were real: they fail in {about}."
    ),
}
_COPIES = (
    "Do not share these images: some are copies of subjects that the "
    "generator was trained on."
)
_NEVER = (
    "Anything about a person: synthetic images are nobody's, and nothing "
    "here was checked for diagnosis.",
    "That the images are anonymous: the copy check finds copies, it does not "
    "prove that there are none.",
    "That training on them helps a classifier: pet-dcgan study measures that.",
    "That another stage, plane, scanner or tracer would do as well.",
    "That PSNR or SSIM are better or worse than the paper's: how its images "
    "were paired is not stated.",
)
_NO_PATIENTS = (
    "Anything about patients: these are phantom volumes, made by this software."
)


def verdict(metrics: dict[str, Any]) -> dict[str, Any]:
    """The verdict of an evaluation.

    Args:
        metrics: Every number of `metrics.json`.

    Returns:
        `sign` (`"good"`, `"unknown"`, `"caution"` or `"bad"`: the worst
        finding's), `headline`, `findings`, and what `may` and `may_not` be
        concluded.
    """
    found = findings(metrics)
    sign = max((each.sign for each in found), key=_ORDER.index)
    never = list(_NEVER)
    if metrics["phantom"]:
        never.insert(0, _NO_PATIENTS)
    return {
        "sign": sign,
        "headline": _headline(sign, found),
        "findings": [each._asdict() for each in found],
        "may": _may(found, metrics),
        "may_not": never,
    }


def _headline(sign: str, found: list[Finding]) -> str:
    worst = [each for each in found if each.sign == sign]
    if sign == "bad" and worst[0].about == "Copies":
        return _COPIES
    return _HEADLINES[sign].format(about=_joined(worst))


def _joined(found: list[Finding]) -> str:
    """`a, b and c`."""
    *others, last = (each.about.lower() for each in found)
    return f"{', '.join(others)} and {last}" if others else last


def _may(found: list[Finding], metrics: dict[str, Any]) -> list[str]:
    kind = "phantom" if metrics["phantom"] else "real"
    held_out = metrics["subjects"]["held_out"]
    by = f"{metrics['images']['held_out']} slices of {held_out} subjects"
    lines = [
        f"How these images compare with {kind} ones of subjects that were not "
        f"trained on, as far as {by} can tell."
    ]
    fine = [each for each in found if each.sign == "good"]
    if fine:
        lines.append(f"That nothing wrong was seen in {_joined(fine)}.")
    wrong = [each for each in found if each.sign in ("caution", "bad")]
    if wrong:
        lines.append(
            f"That something is wrong with {_joined(wrong)}, or may be, as "
            "said above."
        )
    return lines
