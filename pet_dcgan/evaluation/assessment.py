"""What the numbers come to, in words.

One finding for each kind of number, and a verdict on all of them.
"""

import math
from typing import Any, NamedTuple

# standard errors between synthetic and real from which chance is no excuse
_SEEN, _CLEAR = 2.0, 5.0
# MS-SSIM by which synthetic images are more alike than real ones
_ALIKE, _VERY_ALIKE = 0.05, 0.15
# share of the real coverage that is still fine
_COVERED, _HARDLY_COVERED = 0.7, 0.3
# SUVR by which a band may differ on average
_FINE_SUVR, _WRONG_SUVR = 0.05, 0.15
# SUVR of finest detail that is too much, by root mean square; where real
# images have as much as the first, synthetic ones may not have far less
_EVEN, _ROUGH = 0.01, 0.05
_SMOOTH = 0.5


class Finding(NamedTuple):
    """What one kind of number says.

    Args:
        about: The kind.
        sign: `"good"`, `"caution"`, `"bad"` or `"unknown"`.
        words: The numbers, in a sentence.
    """

    about: str
    sign: str
    words: str


def findings(metrics: dict[str, Any]) -> list[Finding]:
    """Findings about copies, likeness, variety, uptake and texture."""
    return [
        _copies(metrics["copies"]),
        _likeness(metrics["features"]),
        _variety(metrics),
        _uptake(metrics["bands"]),
        _texture(metrics["spectrum"]["finest_detail"]),
    ]


def _copies(copies: dict[str, Any]) -> Finding:
    signs = {
        "copies": "bad",
        "nearer": "caution",
        "too far to tell": "caution",
        "no sign": "good",
        None: "unknown",
    }
    return Finding("Copies", signs[copies["verdict"]], copies["words"])


def _likeness(features: dict[str, Any]) -> Finding:
    """By KID, of the encoder that sees more."""
    known = {
        name: _gap(found["kid"])
        for name, found in features.items()
        if found.get("kid") and found["kid"]["real"]
    }
    if not known:
        return Finding("Likeness", "unknown", _no_likeness(features))
    worst = max(known, key=known.get)
    found = features[worst]["kid"]
    values = (
        f"KID {_with_error(found['synthetic'])} from held-out images, where "
        f"other real subjects have {_with_error(found['real'])} (by the "
        f"{worst} encoder, the stricter one)"
    )
    if known[worst] < _SEEN:
        return Finding(
            "Likeness", "good", f"{values}: no difference beyond chance."
        )
    sign = "caution" if known[worst] < _CLEAR else "bad"
    return Finding(
        "Likeness",
        sign,
        f"{values}: {known[worst]:.1f} standard errors farther than real "
        "images are.",
    )


def _no_likeness(features: dict[str, Any]) -> str:
    for found in features.values():
        if found.get("missing"):
            return f"{found['missing']}."
    return "No validation images of this stage, so no real beside real."


def _gap(kid: dict[str, Any]) -> float:
    """Standard errors by which synthetic images are farther than real ones."""
    synthetic, real = kid["synthetic"], kid["real"]
    error = math.hypot(synthetic["standard_error"], real["standard_error"])
    return (synthetic["value"] - real["value"]) / max(error, 1e-12)


def _with_error(number: dict[str, float]) -> str:
    return f"{number['value']:.3f} ± {number['standard_error']:.3f}"


def _variety(metrics: dict[str, Any]) -> Finding:
    """By MS-SSIM of pairs and by coverage, the worse of the two."""
    synthetic, real = (metrics["diversity"][k] for k in ("synthetic", "real"))
    if not synthetic or not real:
        words = "No pairs of two subjects to compare with."
        return Finding("Variety", "unknown", words)
    closer = synthetic["mean"] - real["mean"]
    words = (
        f"Two synthetic images have an MS-SSIM of {synthetic['mean']:.3f}, two "
        f"real ones of different subjects {real['mean']:.3f}"
    )
    sign = _graded(closer, _ALIKE, _VERY_ALIKE)
    covered = _coverage(metrics["features"])
    if covered is not None:
        share, of_real = covered
        words += (
            f"; {share:.0%} of the real images have a synthetic one beside "
            f"them ({of_real:.0%} have one of another real subject)"
        )
        ratio = share / of_real if of_real else 1.0
        second = _graded(-ratio, -_COVERED, -_HARDLY_COVERED)
        sign = max(sign, second, key=("good", "caution", "bad").index)
    return Finding("Variety", sign, f"{words}.")


def _coverage(features: dict[str, Any]) -> tuple[float, float] | None:
    found = features.get("trained", {}).get("coverage")
    if not found or not found["real"]:
        return None
    return found["synthetic"]["value"], found["real"]["value"]


def _uptake(bands: dict[str, Any]) -> Finding:
    synthetic = bands["synthetic"]
    name = max(synthetic, key=lambda band: abs(synthetic[band]["value"]))
    most = synthetic[name]["value"]
    words = (
        f"Mean uptake differs most in the {name} band: {most:+.3f} SUVR from "
        "the nearest real image"
    )
    if bands["real"]:
        words += f" (real images: {bands['real'][name]['value']:+.3f})"
    return Finding(
        "Uptake", _graded(abs(most), _FINE_SUVR, _WRONG_SUVR), f"{words}."
    )


def _texture(detail: dict[str, Any]) -> Finding:
    """By how strong the finest detail is, too much or too little."""
    synthetic, real = (detail[kind]["value"] for kind in ("synthetic", "real"))
    sign = _graded(synthetic - real, _EVEN, _ROUGH)
    blurred = real > _EVEN and synthetic < _SMOOTH * real
    if blurred:
        sign = "caution"
    return Finding(
        "Texture",
        sign,
        f"What alternates from pixel to pixel has {synthetic:.4f} SUVR (root "
        f"mean square), in real images {real:.4f}"
        + (": they are too smooth." if blurred else ".")
        + (
            " Noise or a checkerboard."
            if sign != "good" and not blurred
            else ""
        ),
    )


def _graded(value: float, fine: float, wrong: float) -> str:
    if value <= fine:
        return "good"
    return "caution" if value <= wrong else "bad"


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
