"""Assesses the numbers of an evaluation in words, and states their limits.

Each kind of number gives one finding; the worst is that of the whole.
"""

import math
from typing import Any

from pet_dcgan.metrics.confidence import MIN_SUBJECTS

NOT_FOR_DIAGNOSIS = (
    "Not for diagnosis, treatment or any decision about a person."
)
# limits above which a finding is a caution, and above which it is bad:
# standard errors between the KID of synthetic and of real images
_KID_ERRORS = 2.0, 5.0
# MS-SSIM by which synthetic images are more alike than real ones
_MORE_ALIKE = 0.05, 0.15
# share of the real coverage, where less is worse
_COVERED = 0.7, 0.3
# SUVR by which a region may differ on average
_UPTAKE_SUVR = 0.05, 0.15
# root mean square SUVR of the finest detail above that of real images; where
# these have more than the first, synthetic ones are too smooth below `_SMOOTH`
# of it
_DETAIL_SUVR = 0.01, 0.05
_SMOOTH = 0.5
# from the best to the worst
_SIGNS = ("good", "unknown", "caution", "bad")
_COPY_SIGNS = {
    "copies": "bad",
    "suspects": "bad",
    "nearer": "caution",
    "too far to tell": "caution",
    "no sign": "good",
    None: "unknown",
}
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
    "copies": (
        "Do not share these images: some are copies of subjects that the "
        "generator was trained on."
    ),
    "suspects": (
        "Do not share these images before you have looked at those suspected "
        "to be copies of subjects that the generator was trained on."
    ),
}
_NO_PATIENTS = (
    "Anything about patients: these are phantom volumes, made by this software."
)
_NEVER = (
    "Anything about a person: synthetic images are nobody's, and nothing "
    "here was checked for diagnosis.",
    "That the images are anonymous: the copy check finds copies, it does not "
    "prove that there are none; rarer ones than it states are not excluded.",
    "That training on them helps a classifier: pet-dcgan study measures that.",
    "That another stage, plane, scanner or tracer would do as well.",
    "That PSNR or SSIM are better or worse than the paper's: how its images "
    "were paired is not stated.",
)


# one of `_SIGNS`, and the numbers in a sentence
_Finding = tuple[str, str]


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
        "Copies": _copies(metrics["copies"]),
        "Likeness": _likeness(metrics["features"]),
        "Variety": _variety(metrics),
        "Uptake": _uptake(metrics["bands"]),
        "Texture": _texture(metrics["spectrum"]["finest_detail"]),
    }
    signs = {about: sign for about, (sign, _) in found.items()}
    worst = max(signs.values(), key=_SIGNS.index)
    key = metrics["copies"]["verdict"] if signs["Copies"] == "bad" else worst
    headline = _HEADLINES[key]
    return {
        "sign": worst,
        "headline": headline.format(about=_joined(signs, worst)),
        "findings": [
            {"about": about, "sign": sign, "words": words}
            for about, (sign, words) in found.items()
        ],
        "may": _may(signs, metrics),
        "may_not": [_NO_PATIENTS, *_NEVER] if metrics["phantom"] else [*_NEVER],
    }


def _copies(copies: dict[str, Any]) -> _Finding:
    """By the verdict; few held-out subjects clear nobody."""
    sign = _COPY_SIGNS[copies["verdict"]]
    if sign == "good" and copies["held_out_subjects"] < MIN_SUBJECTS:
        sign = "unknown"
    return sign, copies["words"]


def _likeness(features: dict[str, Any]) -> _Finding:
    """By KID, of the encoder with the larger gap from synthetic to real."""
    gaps = {}
    for name, found in features.items():
        kid = found.get("kid")
        if kid and kid["real"]:
            errors = (number["standard_error"] for number in kid.values())
            gap = kid["synthetic"]["value"] - kid["real"]["value"]
            gaps[name] = gap / max(math.hypot(*errors), 1e-12)
    if not gaps:
        reasons = [found.get("missing") for found in features.values()]
        reason = next(filter(None, reasons), None) or (
            "No validation images of this stage, so no real-to-real baseline"
        )
        return "unknown", f"{reason}."
    encoder = max(gaps, key=gaps.get)
    gap = gaps[encoder]
    synthetic, real = (
        f"{number['value']:.3f} ± {number['standard_error']:.3f}"
        for number in map(features[encoder]["kid"].get, ("synthetic", "real"))
    )
    chance, clear = _KID_ERRORS
    sign = "good" if gap < chance else "caution" if gap < clear else "bad"
    difference = (
        "no difference beyond chance"
        if sign == "good"
        else f"{gap:.1f} standard errors farther than other real images"
    )
    return sign, (
        f"KID {synthetic} from held-out images, where other real subjects "
        f"have {real} (by the {encoder} encoder, the stricter one): "
        f"{difference}."
    )


def _variety(metrics: dict[str, Any]) -> _Finding:
    """By MS-SSIM of pairs and by coverage, the worse of the two."""
    synthetic, real = (metrics["diversity"][k] for k in ("synthetic", "real"))
    if not synthetic or not real:
        return "unknown", "No pairs of two subjects to compare with."
    words = (
        f"Two synthetic images have an MS-SSIM of {synthetic['mean']:.3f}, two "
        f"real ones of different subjects {real['mean']:.3f}"
    )
    sign = _graded(synthetic["mean"] - real["mean"], *_MORE_ALIKE)
    coverage = metrics["features"].get("trained", {}).get("coverage")
    if coverage and coverage["real"]:
        share, of_real = (
            coverage[kind]["value"] for kind in ("synthetic", "real")
        )
        words += (
            f"; {share:.0%} of the real images have a synthetic neighbour "
            f"({of_real:.0%} have one of another real subject)"
        )
        ratio = share / of_real if of_real else 1.0
        second = _graded(-ratio, *(-limit for limit in _COVERED))
        sign = max(sign, second, key=_SIGNS.index)
    return sign, f"{words}."


def _uptake(regions: dict[str, Any]) -> _Finding:
    """By the region whose mean uptake differs most."""
    biases = {
        name: number["value"] for name, number in regions["synthetic"].items()
    }
    name = max(biases, key=lambda region: abs(biases[region]))
    words = (
        f"Mean uptake differs most in the {name} band: {biases[name]:+.3f} "
        "SUVR from the nearest real image"
    )
    if regions["real"]:
        words += f" (real images: {regions['real'][name]['value']:+.3f})"
    return _graded(abs(biases[name]), *_UPTAKE_SUVR), f"{words}."


def _texture(detail: dict[str, Any]) -> _Finding:
    """By the strength of the finest detail: too much is noise, little blur."""
    synthetic, real = (detail[kind]["value"] for kind in ("synthetic", "real"))
    sign = _graded(synthetic - real, *_DETAIL_SUVR)
    comment = "." if sign == "good" else ". Noise or a checkerboard pattern."
    if real > _DETAIL_SUVR[0] and synthetic < _SMOOTH * real:
        sign, comment = "caution", ": the synthetic images are too smooth."
    return sign, (
        f"Detail near the Nyquist frequency has {synthetic:.4f} SUVR (root "
        f"mean square), in real images {real:.4f}{comment}"
    )


def _graded(value: float, fine: float, wrong: float) -> str:
    """A sign by the limits of caution and bad."""
    return "good" if value <= fine else "caution" if value <= wrong else "bad"


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
        f"trained on, as far as {metrics['images']['held_out']} slices of "
        f"{metrics['subjects']['held_out']} subjects can tell."
    ]
    if fine := _joined(signs, "good"):
        lines.append(f"That nothing wrong was seen in {fine}.")
    if wrong := _joined(signs, "caution", "bad"):
        lines.append(
            f"That something is wrong with {wrong}, or may be, as said above."
        )
    return lines


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
    return [
        f"The held-out images are of {metrics['subjects']['held_out']} "
        "subjects; slices of one subject are not independent, and what few "
        "subjects have in common is not what all have.",
        "Single slices were judged. Two synthetic slices do not belong to one "
        "brain.",
        "Nearest images are found by root mean square difference, which "
        "favours smooth images; read PSNR and SSIM beside the real figure, "
        "never alone.",
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
