"""What each kind of number says about a generator, one finding a kind."""

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
