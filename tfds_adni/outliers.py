"""Which scans look unlike the others of their cohort, and in what.

Each measure of a sheet is compared with the cohort's median in robust standard
deviations, 1.4826 times the median absolute deviation (Iglewicz and Hoaglin,
How to Detect and Handle Outliers, ASQC 1993), since a few bad scans would
widen a usual one.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tfds_adni.volumes.sheet import LEVELS, SIZE, Sheet, grey_levels

# Fewer have no median to speak of.
MIN_SCANS = 8
# Of 2,000 normal scans with seven measures 0.01 would lie beyond it.
_LIMIT = 5.0
_MAD_TO_DEVIATION = 1.4826
# Share of the display range below which a pixel is air or scalp.
_AIR = 0.2


class Oddity(NamedTuple):
    """How unlike the others a scan is.

    Attributes:
        score: Its largest deviation in robust standard deviations.
        words: One line for each measure that is far off, the farthest first;
            empty for a scan like the others.
    """

    score: float
    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Measure:
    """A number of a sheet that scans of a cohort share.

    Attributes:
        of: Takes it from a sheet.
        spread: Least standard deviation, what sound scans may differ by:
            of its logarithm where `relative`.
        low: Words for a small value, `""` where it is no fault.
        high: Words for a large one.
        relative: Whether ratios count.
    """

    of: Callable[[Sheet], float]
    spread: float
    low: str
    high: str
    relative: bool = True


# Brains differ by some 10 % in volume and 4 % in length, so that the spreads
# matter only in cohorts as uniform as a phantom's.
_MEASURES = (
    _Measure(
        lambda sheet: sheet.mask_ml,
        0.06,
        "small: mask of {value:.0f} ml, usually {usual:.0f} ml",
        "large: mask of {value:.0f} ml, usually {usual:.0f} ml",
    ),
    *(
        _Measure(
            lambda sheet, axis=axis: sheet.extent_mm[axis],
            0.03,
            f"{low}: {{value:.0f}} mm {ends}, usually {{usual:.0f}} mm",
            f"{high}: {{value:.0f}} mm {ends}, usually {{usual:.0f}} mm",
        )
        for axis, (low, high, ends) in enumerate(
            (
                ("narrow", "wide", "from left to right"),
                ("short", "long", "from back to front"),
                ("low", "tall", "from bottom to top"),
            )
        )
    ),
    _Measure(
        lambda sheet: 100 * sheet.grain,
        1.0,
        "",
        "noisy: neighbouring pixels differ by {value:.3g} %, usually "
        "{usual:.3g} %",
        relative=False,
    ),
    _Measure(
        lambda sheet: max(sheet.peak, 1e-3),
        0.1,
        "",
        "a bright spot: its brightest voxel is SUVR {value:.3g}, usually "
        "{usual:.3g}",
    ),
)
_UNLIKE = (
    "another pattern: correlation with the cohort's median picture "
    "{value:.2f}, usually {usual:.2f}"
)
_TURNED = (
    "{turn}: correlation with the cohort's median picture {value:.2f}, "
    "{turned:.2f} with that picture turned {turn}"
)
# Both of the correlation's inverse hyperbolic tangent. On phantoms no sound
# scan is nearer to the turned picture than 0.2 short of the picture itself.
_UNLIKE_SPREAD, _TURNED_SPREAD = 0.15, 0.04
# Of the usual correlation that a turned picture must reach to be named.
_TURNED_SHARE = 0.5


def find_oddities(sheets: Sequence[Sheet]) -> list[Oddity]:
    """Compares each scan with all.

    Args:
        sheets: Those of the scans used.

    Returns:
        An oddity for each; with fewer than 8 scans none has words.
    """
    if len(sheets) < MIN_SCANS:
        return [Oddity(0.0) for _ in sheets]
    found: list[list[tuple[float, str]]] = [[] for _ in sheets]
    for measure in _MEASURES:
        values = np.array([measure.of(sheet) for sheet in sheets], float)
        compared = np.log(values) if measure.relative else values
        scores = _deviations(compared, measure.spread)
        usual = float(np.median(values))
        for lines, value, score in zip(found, values, scores, strict=True):
            words = measure.high if score > 0 else measure.low
            if words:
                words = words.format(value=value, usual=usual)
                lines.append((abs(float(score)), words))
    for lines, more in zip(found, _patterns(sheets), strict=True):
        lines.extend(more)
    return [_oddity(lines) for lines in found]


def _oddity(lines: list[tuple[float, str]]) -> Oddity:
    """Keeps the words of what is far off."""
    lines.sort(key=lambda line: -line[0])
    far = tuple(words for score, words in lines if score > _LIMIT)
    return Oddity(max(lines[0][0], 0.0), far)


def _deviations(values: np.ndarray, spread: float) -> np.ndarray:
    """Returns robust z-scores; `spread` is the least standard deviation."""
    away = values - np.median(values)
    return away / max(_MAD_TO_DEVIATION * np.median(np.abs(away)), spread)


def _patterns(sheets: Sequence[Sheet]) -> list[list[tuple[float, str]]]:
    """Compares the pictures with their median, as it is and turned."""
    # One byte a pixel: 20 MB for 2,000 scans.
    pictures = np.stack([grey_levels(sheet) for sheet in sheets])
    typical = np.median(pictures, axis=0)
    likeness = np.array([_correlation(p, typical) for p in pictures])
    scores = -_deviations(np.arctanh(likeness), _UNLIKE_SPREAD)
    usual = float(np.median(likeness))
    unlike = [
        (float(score), _UNLIKE.format(value=value, usual=usual))
        for value, score in zip(likeness, scores, strict=True)
    ]
    found = [[line] for line in unlike]
    for turn, turned_by in _TURNS.items():
        other = turned_by(typical)
        for lines, picture, value in zip(
            found, pictures, likeness, strict=True
        ):
            turned = _correlation(picture, other)
            if turned < _TURNED_SHARE * usual:
                continue
            nearer = np.arctanh(turned) - np.arctanh(value)
            words = _TURNED.format(turn=turn, value=value, turned=turned)
            lines.append((float(nearer / _TURNED_SPREAD), words))
    return found


def _correlation(picture: np.ndarray, typical: np.ndarray) -> float:
    """Correlates a picture with the typical one, where that is not air."""
    where = typical > _AIR * LEVELS
    if not where.any():
        return 0.0
    one, other = picture[where].astype(float), typical[where]
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one @ one) * (other @ other))
    # an exact 1 has no finite inverse hyperbolic tangent
    return float(np.clip(one @ other / size, -0.999, 0.999)) if size else 0.0


def _upside_down(strip: np.ndarray) -> np.ndarray:
    """Turns the coronal and the sagittal section upside down."""
    turned = strip.copy()
    turned[:, SIZE:] = strip[::-1, SIZE:]
    return turned


def _back_to_front(strip: np.ndarray) -> np.ndarray:
    """Turns the axial and the sagittal section back to front."""
    turned = strip.copy()
    turned[:, :SIZE] = strip[::-1, :SIZE]
    turned[:, 2 * SIZE :] = strip[:, 2 * SIZE :][:, ::-1]
    return turned


def _left_to_right(strip: np.ndarray) -> np.ndarray:
    """Mirrors the axial and the coronal section."""
    turned = strip.copy()
    for section in (slice(0, SIZE), slice(SIZE, 2 * SIZE)):
        turned[:, section] = strip[:, section][:, ::-1]
    return turned


_TURNS = {
    "upside down": _upside_down,
    "back to front": _back_to_front,
    "left to right": _left_to_right,
}
