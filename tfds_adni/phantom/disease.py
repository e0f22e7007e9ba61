"""What the disease takes from an invented subject, and where."""

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.difficulty import Difficulty
from tfds_adni.phantom.regions import REGIONS, read_rows

NONE, TYPICAL, LIMBIC, CORTICAL = "none", "typical", "limbic", "cortical"
_MOST = 0.6  # largest share of its uptake that a region loses


@dataclass(frozen=True)
class Disease:
    """The disease of one subject; all zero without one.

    Args:
        subtype: "none", "typical", "limbic", "cortical", or the pattern of
            a patient without amyloid.
        amyloid: Whether amyloid is there.
        severity: Of the loss, 1 for the mean of `losses.csv`.
        loss: Share of the uptake lost in each region at the first visit,
            `[2, r]` (left, right).
        thinning_mm: Cortex lost to the sulci at the first visit, mean.
        ventricle_mm: How far it moved the ventricles' walls out.
        a_year: What a year adds, as a share of the first visit's.
    """

    subtype: str
    amyloid: bool
    severity: float
    loss: np.ndarray
    thinning_mm: float
    ventricle_mm: float
    a_year: float

    def grown(self, years: float) -> float:
        """Its size some years on, over that at the first visit.

        Args:
            years: From the first visit.
        """
        return 1 + self.a_year * years

    def left(self, years: float) -> np.ndarray:
        """The share of the uptake that is left, `[2, r]`.

        Args:
            years: From the first visit.
        """
        return 1 - np.minimum(self.loss * self.grown(years), _MOST)


def no_disease() -> Disease:
    """The disease of those who have none."""
    nothing = np.zeros((2, len(REGIONS)))
    return Disease(NONE, False, 0.0, nothing, 0.0, 0.0, 0.0)


@functools.cache
def losses(column: str) -> np.ndarray:
    """A column of `data/losses.csv`, `[r]`.

    Args:
        column: Its name.
    """
    rows = {row["region"]: row for row in read_rows("losses.csv")}
    return np.array([float(rows[r.name][column]) for r in REGIONS])


def draw_disease(
    stage: str, difficulty: Difficulty, rng: np.random.Generator
) -> Disease:
    """Draws the disease of a subject.

    Args:
        stage: "NC", "MCI" or "AD".
        difficulty: How hard the phantom is.
        rng: Source of it, and of nothing else: without the disease the
            subject stays the same.
    """
    # all draws come first, so that none depends on another
    which, amyloid_at, spared_at, depth = rng.random(4)
    shape = difficulty.severity_sd**-2
    size = rng.gamma(shape, 1 / shape)
    regional = np.maximum(
        rng.normal(1, difficulty.regional_sd, len(REGIONS)), 0
    )
    tilt = _tilt(difficulty, rng)
    rate = 1 + difficulty.a_year_sd * rng.standard_normal()
    like = "MCI" if stage == "NC" else stage
    subtype = _subtype(difficulty, which)
    amyloid = amyloid_at >= 1 - difficulty.preclinical_share
    if stage == "NC":
        size *= difficulty.preclinical_severity * amyloid
    else:
        amyloid = amyloid_at >= difficulty.of(stage, "negative_share")
        if not amyloid:
            spared = spared_at < difficulty.negative_spared_share
            size *= 0 if spared else (1 + depth) / 2
    if size == 0:
        return dataclasses.replace(no_disease(), amyloid=bool(amyloid))
    severity = size * difficulty.of(like, "severity")
    loss = losses(f"{like.lower()}_pct") / 100 * _factors(subtype) * regional
    sides = np.array([[1 - tilt], [1 + tilt]])
    return Disease(
        subtype=subtype,
        amyloid=bool(amyloid),
        severity=severity,
        loss=severity * sides * loss,
        thinning_mm=size * difficulty.of(like, "thinning_mm"),
        ventricle_mm=size * difficulty.of(like, "ventricle_mm"),
        a_year=max(rate, 0) * difficulty.of(stage, "a_year"),
    )


def _subtype(difficulty: Difficulty, at: float) -> str:
    """The subtype at a place of the unit interval."""
    if at < difficulty.limbic_share:
        return LIMBIC
    if at < difficulty.limbic_share + difficulty.cortical_share:
        return CORTICAL
    return TYPICAL


def _factors(subtype: str) -> np.ndarray:
    """What a subtype makes of the loss of each region, `[r]`."""
    if subtype == TYPICAL:
        return np.ones(len(REGIONS))
    return losses(subtype)


def _tilt(difficulty: Difficulty, rng: np.random.Generator) -> float:
    """How much more than the mean the right side loses, as a share."""
    around = difficulty.tilt_sd * rng.standard_normal()
    one_sided, left = rng.random(2)
    if one_sided >= difficulty.one_sided_share:
        return around
    side = -1 if left < difficulty.left_share else 1
    return side * difficulty.one_sided_tilt
