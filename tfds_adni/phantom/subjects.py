"""The phantom's subjects: regional uptake, atrophy and shape of the head.

A region's uptake is its published mean times one plus the scan's own level,
the level of the region's network, the region's own, and half the difference
between the sides, each with a published spread; then comes what age takes,
and what the disease does.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.difficulty import Difficulty, load_difficulty
from tfds_adni.phantom.disease import (
    Disease,
    draw_disease,
    losses,
    no_disease,
)
from tfds_adni.phantom.regions import (
    MIDLINE,
    PUBLISHED,
    REGIONS,
    published_means,
    spread,
)
from tfds_adni.tables.cells import STAGES

FIRST_RID = 9001
# Random streams of a subject, each for one purpose; those after `NOISE` have
# one for each visit.
PERSON, FOLDS, DISEASE, SITE, DATES, NOISE, POSE, EXAM = range(8)
_NETWORK_SHARE = 0.6  # of a region's own variance
_MIDDLE_AGE = 74  # at which the published uptake holds
_AGES = {"NC": (75, 6), "MCI": (74, 7), "AD": (75, 8)}  # mean and SD


@dataclass(frozen=True)
class Subject:
    """One invented subject.

    Args:
        rid: Number from 9001; the stages alternate, so that a subject
            does not depend on how many there are.
        stage: "NC", "MCI" or "AD".
        age: At the first visit, in years.
        sex: "F" or "M".
        healthy: Uptake without disease, pons-SUVR, `[2, r]` (left, right).
        disease: What the disease takes from it.
        years: Years from the first visit to each one.
        ventricle_mm: How far the ventricles' walls are out without disease.
        thinning_mm: Cortex missing along the sulci without disease.
        scale: Size of the head over the template's, `[3]`.
        difficulty: How hard the phantom is.
        seed: Of the whole cohort.
    """

    rid: int
    stage: str
    age: float
    sex: str
    healthy: np.ndarray
    disease: Disease
    years: tuple[int, ...]
    ventricle_mm: float
    thinning_mm: float
    scale: np.ndarray
    difficulty: Difficulty
    seed: int

    @property
    def ptid(self) -> str:
        """The id in ADNI's form, of the invented site 999."""
        return f"999_S_{self.rid}"

    def uptake(self, visit: int = 0) -> np.ndarray:
        """Regional uptake at a visit, pons-SUVR, `[2, r]`."""
        years = self.years[visit]
        aged = 1 + years * self.difficulty.age_effect * _yearly()
        return self.healthy * aged * self.disease.left(years)

    def thinning(self, visit: int = 0) -> np.ndarray:
        """Cortex missing along the sulci at a visit, in mm, `[r]`."""
        years = self.years[visit]
        own = self.thinning_mm + years * self.difficulty.thinning_mm_a_year
        lost = self.disease.grown(years) * self.disease.thinning_mm
        return own + lost * losses("thinning")

    def ventricle(self, visit: int = 0) -> float:
        """How far the ventricles' walls are out at a visit, in mm."""
        years = self.years[visit]
        own = self.ventricle_mm + years * self.difficulty.ventricle_mm_a_year
        return own + self.disease.grown(years) * self.disease.ventricle_mm

    def without_disease(self) -> "Subject":
        """The same person, had they stayed healthy; "NC" then."""
        return dataclasses.replace(self, stage="NC", disease=no_disease())

    def stream(self, part: int, *visit: int) -> np.random.Generator:
        """Random numbers for one purpose, the same at every call.

        Args:
            part: Its number, such as `NOISE`.
            visit: The visit, for what differs between visits.
        """
        return np.random.default_rng([self.seed, self.rid, part, *visit])


def make_subject(
    stage: str,
    number: int,
    *,
    seed: int = 0,
    difficulty: str = "realistic",
    visits: int | None = None,
) -> Subject:
    """Draws a simulated subject.

    Args:
        stage: "NC", "MCI" or "AD".
        number: Which subject of the stage, from 0.
        seed: Of the whole cohort.
        difficulty: "easy" or "realistic".
        visits: Yearly visits of everybody. Defaults to one of two thirds,
            two or three of the others.
    """
    hard = load_difficulty(difficulty)
    rid = FIRST_RID + number * len(STAGES) + STAGES.index(stage)
    rng = np.random.default_rng([seed, rid, PERSON])
    age = float(np.clip(rng.normal(*_AGES[stage]), 55, 90))
    sex = str(rng.choice(["F", "M"]))
    draw = rng.random()
    drawn = 1 if draw > 1 / 3 else 2 if draw > 1 / 6 else 3
    older = age - _MIDDLE_AGE
    healthy = _healthy(hard, rng) * (1 + older * hard.age_effect * _yearly())
    own = rng.standard_normal(2)
    ventricle = (
        older * hard.ventricle_mm_a_year + hard.own_ventricle_mm * own[0]
    )
    thinning = older * hard.thinning_mm_a_year + hard.own_thinning_mm * own[1]
    size = 0.905 if sex == "F" else 0.93  # of the MNI template's head
    illness = np.random.default_rng([seed, rid, DISEASE])
    return Subject(
        rid=rid,
        stage=stage,
        age=age,
        sex=sex,
        healthy=healthy,
        disease=draw_disease(stage, hard, illness),
        years=tuple(range(visits or drawn)),
        ventricle_mm=float(np.clip(ventricle, -1, 5)),
        thinning_mm=float(np.clip(thinning, -0.3, 1.5)),
        scale=size * (1 + rng.normal(0, 0.02) + rng.normal(0, 0.012, 3)),
        difficulty=hard,
        seed=seed,
    )


def _yearly() -> np.ndarray:
    """What a year of age does to the uptake of each region, a share `[r]`."""
    return losses("age_pct_a_year") / 100


def _healthy(hard: Difficulty, rng: np.random.Generator) -> np.ndarray:
    """Draws the uptake without disease, pons-SUVR, `[2, r]`."""
    loading, own = spread()
    names, which = np.unique([r.network for r in REGIONS], return_inverse=True)
    network = rng.standard_normal(len(names))[which]
    single = rng.standard_normal(len(REGIONS))
    mixed = np.sqrt(_NETWORK_SHARE) * network
    mixed += np.sqrt(1 - _NETWORK_SHARE) * single
    change = loading * rng.standard_normal() + own * mixed
    # SD of right minus left: 1.8 to 4 %, more where the CV is larger.
    cv = np.array([PUBLISHED[r.row].cv_pct for r in REGIONS]) / 100
    paired = np.array([r.name not in MIDLINE for r in REGIONS])
    asymmetry = np.clip(0.35 * cv, 0.018, 0.04) * paired
    half = 0.5 * asymmetry * rng.standard_normal(len(REGIONS))
    change, half = hard.own_spread * change, hard.own_spread * half
    return published_means() * np.stack([1 + change - half, 1 + change + half])
