"""Findings about a generator of volumes, by the numbers of one stage.

Roughness has limits on both sides, since there are two ways to be wrong: slices
that flicker or are smeared, noise or blur. Of variety and spread only what is
missing counts.
"""

from collections.abc import Sequence
from typing import Any

from pet_dcgan.evaluation import findings
from pet_dcgan.evaluation.findings import Finding, brackets, graded, worst

# limits of caution and of bad, as shares of what real volumes have:
# diversity, and the spread of regional means, that is missing
_ALIKE = 0.2, 0.5
_NARROW = 0.3, 0.6
# roughness beyond theirs, and roughness that is missing
_ROUGH, _SMOOTH = (0.2, 1.0), (0.2, 0.5)
# error of regional means, over that between halves of the real subjects
_ERROR = 1.0, 2.0
_NOT_ROUGH = "unknown", "Real volumes do not vary along an axis."
# SUVR by which a region may differ on average
_UPTAKE_SUVR = 0.05, 0.15


def variety(cell: dict[str, Any]) -> Finding:
    """By MS-SSIM in 3-D of pairs, beside that of real subjects.

    Args:
        cell: Numbers of one stage.
    """
    found = cell["diversity"]
    ratio = found["ratio"]
    if ratio["value"] is None:
        return "unknown", "Two real subjects do not differ."
    sign = graded(*_missing(ratio), *_ALIKE)
    return sign, (
        f"Two synthetic volumes differ {ratio['value']:.2f} times as much as "
        f"two real subjects{brackets(ratio['interval'], 2)}: 1 − MS-SSIM in "
        f"3-D {found['synthetic']['mean']:.3f}, real "
        f"{found['real']['mean']:.3f}."
    )


def slices(cell: dict[str, Any]) -> Finding:
    """By the roughness between slices: flicker, or blur along z.

    Args:
        cell: Numbers of one stage.
    """
    ratio = cell["roughness"]["ratio"]
    if ratio["value"] is None:
        return _NOT_ROUGH
    words = (
        "Between axial slices the volumes are "
        f"{ratio['value']:.2f} times as rough as real ones"
        f"{brackets(ratio['interval'], 2)}, in proportion to within slices"
    )
    sign, why = _both_sides(ratio, "slices flicker", "slices are smeared")
    return sign, f"{words}{why}."


def texture(cell: dict[str, Any]) -> Finding:
    """By the roughness along each axis: noise, or blur.

    Args:
        cell: Numbers of one stage.
    """
    axes = cell["roughness"]["axes_ratio"]
    if any(each["value"] is None for each in axes.values()):
        return _NOT_ROUGH
    found = {
        name: _both_sides(each, "noise", "too smooth")
        for name, each in axes.items()
    }
    sign = worst(sign for sign, _ in found.values())
    name, (_, why) = next(each for each in found.items() if each[1][0] == sign)
    values = ", ".join(f"{n} {axes[n]['value']:.2f}" for n in axes)
    where = f" along {name}" if why else ""
    return sign, (
        f"Roughness along each axis over that of real volumes: {values}"
        f"{why}{where}."
    )


def uptake(cell: dict[str, Any]) -> Finding:
    """By regional means and their spread over volumes.

    Args:
        cell: Numbers of one stage.
    """
    found = cell["regions"]
    signs, words = [], []
    for sign, text in (_error(found), _spread(found), _worst_region(found)):
        signs.append(sign)
        words.append(text)
    return worst(signs), f"{'; '.join(words)}."


def _error(found: dict[str, Any]) -> Finding:
    """By the error of the means beside that between real halves."""
    error, half = (found["error"][k] for k in ("synthetic", "real"))
    words = (
        f"Regional means are off by {error['value']:.3f} SUVR"
        f"{brackets(error['interval'])} (root mean square)"
    )
    if not half["value"]:
        return "unknown", f"{words}; too few real subjects to halve"
    words += f", halves of the real subjects by {half['value']:.3f}"
    ends = error["interval"]
    ends = ends and [end / half["value"] for end in ends]
    return graded(error["value"] / half["value"], ends, *_ERROR), words


def _spread(found: dict[str, Any]) -> Finding:
    """By how much regional means vary over volumes."""
    spread = found["spread"]
    if spread["value"] is None:
        return "unknown", "real subjects do not vary"
    sign = graded(*_missing(spread), *_NARROW)
    return sign, (
        f"they spread {spread['value']:.2f} times as much as over real "
        f"subjects{brackets(spread['interval'], 2)}"
    )


def _worst_region(found: dict[str, Any]) -> Finding:
    """By the region that is off most."""
    each = found["difference"]
    name = max(each, key=lambda region: abs(each[region]["value"]))
    signs = (
        graded(abs(x["value"]), _size(x["interval"]), *_UPTAKE_SUVR)
        for x in each.values()
    )
    return worst(signs), (
        f"most in {name}: {each[name]['value']:+.3f} SUVR"
        f"{brackets(each[name]['interval'])}"
    )


def _size(ends: Sequence[float] | None) -> tuple[float, float] | None:
    """Ends of an absolute value by those of the value."""
    if ends is None:
        return None
    low, high = ends
    return max(low, -high, 0.0), max(abs(low), abs(high))


def _missing(ratio: dict[str, Any]) -> tuple[float, list[float] | None]:
    """What is missing of 1, and the ends of that."""
    ends = ratio["interval"]
    return 1 - ratio["value"], ends and [1 - end for end in ends[::-1]]


def _both_sides(ratio: dict[str, Any], more: str, less: str) -> Finding:
    """The sign of a ratio that should be 1, and what is wrong."""
    ends = ratio["interval"]
    beyond = graded(
        ratio["value"] - 1, ends and [end - 1 for end in ends], *_ROUGH
    )
    short = graded(*_missing(ratio), *_SMOOTH)
    sign = worst([beyond, short])
    why = {beyond: more, short: less}
    return sign, f": {why[sign]}" if sign in ("caution", "bad") else ""


def likeness(found: dict[str, Any]) -> Finding:
    """By KID of all stages together, mixed alike.

    Args:
        found: `planes.volume` of `metrics.json`.
    """
    return findings.likeness(found["features"])


def coverage(found: dict[str, Any]) -> Finding:
    """By the share of real volumes that have a synthetic neighbour.

    Args:
        found: `planes.volume` of `metrics.json`.
    """
    trained = found["features"].get("trained", {})
    number = trained.get("coverage")
    if not number or not number["real"] or number["real"]["value"] is None:
        why = trained.get("missing", "too few held-out subjects")
        return "unknown", f"Coverage was not measured: {why}."
    return findings.sign_of_coverage(**number), (
        f"{number['synthetic']['value']:.0%} of the real volumes have a "
        f"synthetic neighbour ({number['real']['value']:.0%} one of another "
        "subject)."
    )
