"""Findings of an evaluation: a sign and a sentence for each kind of number.

A sign depends on size and on evidence: nothing passes whose interval reaches
into what would be a failure, and nothing fails by chance.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pet_dcgan.metrics.confidence import LEVEL, MIN_SUBJECTS

# limits above which a finding is a caution, and above which it is bad:
# shift of the features of synthetic images, in standard deviations
_SHIFT = 0.1, 0.3
# MS-SSIM by which synthetic images are more alike than real ones
_MORE_ALIKE = 0.05, 0.15
# share of the real coverage that is missing
_UNCOVERED = 0.3, 0.7
# SUVR by which a region may differ on average
_UPTAKE_SUVR = 0.05, 0.15
# root mean square SUVR of the finest detail above that of real images; where
# these have more than the first, synthetic ones are too smooth below `_SMOOTH`
# of it
_DETAIL_SUVR = 0.01, 0.05
_SMOOTH = 0.5
# from the best to the worst, and the words that the report uses
SIGNS = {
    "good": "passed",
    "unknown": "not enough evidence",
    "caution": "check",
    "bad": "failed",
}
_ORDER = tuple(SIGNS)
_COPY_SIGNS = {
    "copies": "bad",
    "suspects": "bad",
    "nearer": "caution",
    "too far to tell": "caution",
    "no sign": "good",
    None: "unknown",
}

# one of `SIGNS`, and the numbers in a sentence
Finding = tuple[str, str]


def worst(signs: Iterable[str]) -> str:
    """The worst of some signs.

    Args:
        signs: One or more of `SIGNS`.
    """
    return max(signs, key=_ORDER.index)


def copies(found: dict[str, Any], membership: dict[str, Any]) -> Finding:
    """By the search for copies, and by an attack that tells who was trained on.

    Few held-out subjects clear nobody, nor does a search in which real images
    are suspects as often as synthetic ones. An attack that fails proves
    nothing, so it makes no sign better.

    Args:
        found: `copies` of `metrics.json`.
        membership: `membership` of `metrics.json`.
    """
    sign = _COPY_SIGNS[found["verdict"]]
    if sign == "good" and (
        found["held_out_subjects"] < MIN_SUBJECTS or found["suspects"]
    ):
        sign = "unknown"
    auc = membership["auc"]
    if auc and auc["interval"][0] > 0.5:
        sign = worst([sign, "caution"])
    return sign, f"{found['words']} {membership['words']}"


def likeness(features: dict[str, Any], *, places: int = 1) -> Finding:
    """By KID, of the encoder that finds the images less like real ones.

    A difference counts if it is both significant (the p-values are multiplied
    by the number of encoders and of places, after Bonferroni) and not small.

    Args:
        features: `features` of `metrics.json`, by encoder.
        places: Stages and planes of which the worst is taken.
    """
    judged = {
        name: found["kid"]["synthetic"]
        for name, found in features.items()
        if found.get("kid") and found["kid"]["synthetic"]["p_value"] is not None
    }
    if not judged:
        reasons = [found.get("missing") for found in features.values()]
        reason = next(filter(None, reasons), "Too few held-out subjects")
        return "unknown", f"{reason}."
    tests = places * len(judged)
    signs = {
        name: _sign_of_shift(number, tests * number["p_value"])
        for name, number in judged.items()
    }
    encoder = max(
        judged, key=lambda e: (_ORDER.index(signs[e]), judged[e]["shift"])
    )
    number, real = judged[encoder], features[encoder]["kid"]["real"]
    p_value = min(1.0, tests * number["p_value"])
    times = f", times {places} stages and planes" if places > 1 else ""
    beside = ""
    if real and real["value"] is not None:
        beside = f" (other real subjects: {real['value']:.3f})"
    return signs[encoder], (
        f"KID {number['value']:.3f}{brackets(number['interval'])} from "
        f"held-out images{beside}, as if every feature were shifted by "
        f"{number['shift']:.2f} SD; p = {p_value:.3f} by permuting subjects"
        f"{times}, by the {encoder} encoder, the strictest of {len(judged)}"
        f"{_WHY_NOT[signs[encoder]]}."
    )


def _sign_of_shift(number: dict[str, Any], p_value: float) -> str:
    """The sign of a KID by its effect size and its p-value."""
    fine, wrong = _SHIFT
    if p_value < 1 - LEVEL and number["shift"] > fine:
        return "bad" if number["shift"] > wrong else "caution"
    if number["interval"] is None:
        return "unknown"
    # the KID of such a shift, see `mean_shift`
    largest = (1 + wrong**2) ** 3 - 1
    return "good" if number["interval"][1] <= largest else "unknown"


_WHY_NOT = {
    "good": ": no difference that is both beyond chance and large enough",
    "unknown": ": too few subjects to rule out a large difference",
    "caution": ": a difference beyond chance",
    "bad": ": a large difference, beyond chance",
}


def variety(metrics: dict[str, Any]) -> Finding:
    """By MS-SSIM of pairs and by coverage, the worse of the two.

    Args:
        metrics: `metrics.json`, of which `diversity` and `features` are used.
    """
    synthetic, real = (metrics["diversity"][k] for k in ("synthetic", "real"))
    if not synthetic or not real:
        return "unknown", "No pairs of two subjects to compare with."
    words = (
        f"Two synthetic images have an MS-SSIM of {synthetic['mean']:.3f}, two "
        f"real ones of different subjects {real['mean']:.3f}"
    )
    excess = synthetic["mean"] - real["mean"]
    ends = ends_of_difference(synthetic["interval"], real["interval"])
    sign = graded(excess, ends, *_MORE_ALIKE)
    coverage = metrics["features"].get("trained", {}).get("coverage")
    comparable = coverage and coverage["real"]
    if comparable and coverage["real"]["value"] is not None:
        share, of_real = (coverage[k]["value"] for k in ("synthetic", "real"))
        words += (
            f"; {share:.0%} of the real images have a synthetic neighbour "
            f"({of_real:.0%} have one of another real subject)"
        )
        sign = worst([sign, sign_of_coverage(**coverage)])
    return sign, f"{words}."


def sign_of_coverage(synthetic: dict[str, Any], real: dict[str, Any]) -> str:
    """By the share of what real images cover that is missing.

    Args:
        synthetic: Number of the synthetic images.
        real: Number of other real ones.
    """
    if not real["value"] or not synthetic["interval"]:
        return "unknown"
    low, value, high = (
        1 - share / real["value"]
        for share in (
            synthetic["interval"][1],
            synthetic["value"],
            synthetic["interval"][0],
        )
    )
    return graded(value, (low, high), *_UNCOVERED)


def uptake(regions: dict[str, Any]) -> Finding:
    """By the mean uptake of each region, the worst of them.

    Args:
        regions: `regions.difference` of `metrics.json`.
    """
    biases = regions["synthetic"]
    name = max(biases, key=lambda region: abs(biases[region]["value"]))
    words = (
        f"Mean uptake differs most in the region {name}: "
        f"{biases[name]['value']:+.3f} SUVR from the nearest real image"
    )
    if regions["real"]:
        words += f" (real images: {regions['real'][name]['value']:+.3f})"
    signs = (_sign_of_bias(**each) for each in biases.values())
    return worst(signs), f"{words}."


def _sign_of_bias(
    value: float, interval: Sequence[float] | None, **_: Any
) -> str:
    """By how far a region's uptake is off, in either direction."""
    ends = None
    if interval:
        low, high = interval
        ends = max(low, -high, 0.0), max(abs(low), abs(high))
    return graded(abs(value), ends, *_UPTAKE_SUVR)


def texture(detail: dict[str, Any]) -> Finding:
    """By the strength of the finest detail: too much is noise, little blur.

    Args:
        detail: `spectrum.finest_detail` of `metrics.json`.
    """
    synthetic, real = (detail[kind]["value"] for kind in ("synthetic", "real"))
    ends = ends_of_difference(
        detail["synthetic"]["interval"], detail["real"]["interval"]
    )
    sign = graded(synthetic - real, ends, *_DETAIL_SUVR)
    comment = "."
    if sign in ("caution", "bad"):
        comment = ". Noise or a checkerboard pattern."
    if real > _DETAIL_SUVR[0] and synthetic < _SMOOTH * real:
        sign, comment = "caution", ": the synthetic images are too smooth."
    return sign, (
        f"Detail near the Nyquist frequency has {synthetic:.4f} SUVR (root "
        f"mean square), in real images {real:.4f}{comment}"
    )


def graded(
    value: float, ends: Sequence[float] | None, fine: float, wrong: float
) -> str:
    """A sign by the limits of caution and bad.

    It is bad if the whole interval is beyond the first limit as well, and
    good only if all of it is within the second.

    Args:
        value: What is graded; more is worse.
        ends: Of its interval; None if there is none.
        fine: Limit of caution.
        wrong: Limit of bad.
    """
    if ends is None:
        return "unknown"
    low, high = ends
    if value > fine:
        return "bad" if value > wrong and low > fine else "caution"
    return "good" if high <= wrong else "unknown"


def ends_of_difference(
    one: Sequence[float] | None, other: Sequence[float] | None
) -> tuple[float, float] | None:
    """Ends of a difference by those of its parts; wider than they must be.

    Args:
        one: Ends of the one; None if there are none.
        other: Ends of what is subtracted.

    Returns:
        The lower and the upper one; None without those of a part.
    """
    if one is None or other is None:
        return None
    return one[0] - other[1], one[1] - other[0]


def brackets(interval: Sequence[float] | None, digits: int = 3) -> str:
    """An interval as text, or none.

    Args:
        interval: Its ends; None if there are none.
        digits: Decimals.
    """
    if not interval:
        return ""
    low, high = (f"{end:.{digits}f}" for end in interval)
    return f" [{low}, {high}]"
