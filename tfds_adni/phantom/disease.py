"""What the disease takes from an invented subject, and where."""

import functools
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.difficulty import Difficulty
from tfds_adni.phantom.parameters import PEOPLE, read_numbers, read_rows
from tfds_adni.phantom.regions import REGIONS

NONE, TYPICAL = "none", "typical"


@dataclass(frozen=True)
class Disease:
    """The disease of one subject; all zero without one.

    Args:
        subtype: "none", or a name in `patterns.csv`.
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

    def remaining(self, years: float) -> np.ndarray:
        """The share of the uptake that remains, `[2, r]`.

        Args:
            years: From the first visit.
        """
        most = PEOPLE["most_lost"]
        return 1 - np.minimum(self.loss * self.grown(years), most)


@dataclass(frozen=True)
class Pattern:
    """Where a disease is, a row of `patterns.csv`.

    Args:
        name: Its name, a column of `losses.csv` but for the typical one.
        amyloid: Whether it is that of patients with amyloid.
        share: Of the patients with amyloid, or of those without.
        older_years: How much older such patients are than the typical.
        right_tilt: How much more than the mean the right side loses, as a
            share; nothing where that differs between patients.
    """

    name: str
    amyloid: bool
    share: float
    older_years: float
    right_tilt: float | None

    def factors(self) -> np.ndarray:
        """What it makes of the typical loss of each region, `[r]`."""
        if self.name == TYPICAL:
            return np.ones(len(REGIONS))
        return losses(self.name)


def no_disease(*, amyloid: bool = False) -> Disease:
    """The disease of those who have none.

    Args:
        amyloid: Whether amyloid is there all the same.
    """
    nothing = np.zeros((2, len(REGIONS)))
    return Disease(NONE, amyloid, 0.0, nothing, 0.0, 0.0, 0.0)


@functools.cache
def losses(column: str) -> np.ndarray:
    """A column of `losses.csv`, `[r]`.

    Args:
        column: Its name.
    """
    found = read_numbers("losses.csv", column)
    return np.array([found[region.name] for region in REGIONS])


@functools.cache
def load_patterns(difficulty: str) -> dict[str, Pattern]:
    """Reads `patterns.csv`: a pattern for each name.

    Args:
        difficulty: "easy" or "realistic".
    """
    return {
        row["name"]: Pattern(
            name=row["name"],
            amyloid=row["amyloid"] == "1",
            share=float(row[difficulty]),
            older_years=float(row["older_years"]),
            right_tilt=float(row["right_tilt"]) if row["right_tilt"] else None,
        )
        for row in read_rows("patterns.csv")
    }


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
    which, amyloid_at, size_at = rng.random(3)
    shape = difficulty.severity_sd**-2
    size = rng.gamma(shape, 1 / shape)
    regional = rng.normal(1, difficulty.regional_sd, len(REGIONS))
    tilt = _tilt(difficulty, rng)
    rate = 1 + difficulty.a_year_sd * rng.standard_normal()
    amyloid = bool(amyloid_at < _amyloid_share(stage, difficulty))
    size *= _part(stage, amyloid, difficulty, size_at)
    if size == 0:
        return no_disease(amyloid=amyloid)
    pattern = _pattern(difficulty, amyloid, which)
    if pattern.right_tilt is not None:
        tilt = pattern.right_tilt
    like = "MCI" if stage == "NC" else stage
    severity = size * difficulty.of(like, "severity")
    loss = losses(f"{like.lower()}_pct") / 100 * pattern.factors()
    loss *= severity * np.maximum(regional, 0)
    return Disease(
        subtype=pattern.name,
        amyloid=amyloid,
        severity=severity,
        loss=np.stack([(1 - tilt) * loss, (1 + tilt) * loss]),
        thinning_mm=size * difficulty.of(like, "thinning_mm"),
        ventricle_mm=size * difficulty.of(like, "ventricle_mm"),
        a_year=max(rate, 0) * difficulty.of(stage, "a_year"),
    )


def _amyloid_share(stage: str, difficulty: Difficulty) -> float:
    """How many of a stage have amyloid."""
    if stage == "NC":
        return difficulty.preclinical_share
    return 1 - difficulty.of(stage, "negative_share")


def _part(
    stage: str, amyloid: bool, difficulty: Difficulty, at: float
) -> float:
    """The part of a patient's severity that a subject has.

    `at` is a place of the unit interval: those without amyloid who lose
    nothing come first, then the mildest of the others.
    """
    if stage == "NC":
        return difficulty.preclinical_severity * amyloid
    if amyloid:
        return 1.0
    spared = difficulty.negative_spared_share
    if at < spared:
        return 0.0
    least = difficulty.negative_least
    return least + (1 - least) * (at - spared) / (1 - spared)


def _pattern(difficulty: Difficulty, amyloid: bool, at: float) -> Pattern:
    """The pattern at a place of the unit interval."""
    patterns = load_patterns(difficulty.name).values()
    fitting = [p for p in patterns if p.amyloid == amyloid]
    ends = np.cumsum([p.share for p in fitting])
    place = np.searchsorted(ends / ends[-1], at, side="right")
    return fitting[int(place)]


def _tilt(difficulty: Difficulty, rng: np.random.Generator) -> float:
    """How much more than the mean the right side loses, as a share."""
    around = difficulty.tilt_sd * rng.standard_normal()
    one_sided, left = rng.random(2)
    if one_sided >= difficulty.one_sided_share:
        return around
    side = -1 if left < difficulty.left_share else 1
    return side * difficulty.one_sided_tilt
