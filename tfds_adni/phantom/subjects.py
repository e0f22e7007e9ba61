"""The phantom's subjects: regional uptake, atrophy and shape of the head.

A region's uptake is its published mean times one plus the deviation of the
whole scan, of the region's network, of the region alone, and half the
difference between the sides, each with a published spread; then comes what
age takes, and what the disease does.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.difficulty import Difficulty, load_difficulty
from tfds_adni.phantom.disease import (
    Disease,
    draw_disease,
    load_patterns,
    losses,
    no_disease,
)
from tfds_adni.phantom.parameters import PEOPLE
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
        thinning_mm: Cortex missing along the sulci without disease, `[r]`.
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
    thinning_mm: np.ndarray
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
        return self.healthy * aged * self.disease.remaining(years)

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
        """The same person of the same age without it; "NC" then."""
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

    Raises:
        ValueError: If there is no such difficulty.
    """
    hard = load_difficulty(difficulty)
    rid = FIRST_RID + number * len(STAGES) + STAGES.index(stage)
    illness = np.random.default_rng([seed, rid, DISEASE])
    disease = draw_disease(stage, hard, illness)
    rng = np.random.default_rng([seed, rid, PERSON])
    age = _age(stage, disease, hard, rng)
    older = age - PEOPLE["middle_age"]
    sex = str(rng.choice(["F", "M"]))
    drawn = _visits(rng.random())
    aged = 1 + older * hard.age_effect * _yearly()
    scale = _scale(sex, rng)
    ventricle, thinning = _atrophy(hard, older, rng)
    return Subject(
        rid=rid,
        stage=stage,
        age=age,
        sex=sex,
        healthy=_healthy(rng) * aged,
        disease=disease,
        years=tuple(range(visits or drawn)),
        ventricle_mm=ventricle,
        thinning_mm=thinning,
        scale=scale,
        difficulty=hard,
        seed=seed,
    )


def _age(
    stage: str, disease: Disease, hard: Difficulty, rng: np.random.Generator
) -> float:
    """Draws the age, to which a patient's pattern adds years."""
    age = rng.normal(hard.of(stage, "age"), hard.of(stage, "age_sd"))
    patterns = load_patterns(hard.name)
    if stage != "NC" and disease.subtype in patterns:
        age += patterns[disease.subtype].older_years
    return float(np.clip(age, PEOPLE["youngest"], PEOPLE["oldest"]))


def _visits(at: float) -> int:
    """How many visits there are at a place of the unit interval."""
    once = PEOPLE["once_share"]
    return 1 + (at >= once) + (at >= once + PEOPLE["twice_share"])


def _scale(sex: str, rng: np.random.Generator) -> np.ndarray:
    """Draws the size of the head over the template's, `[3]`."""
    size = PEOPLE["female_scale" if sex == "F" else "male_scale"]
    size += size * PEOPLE["scale_sd"] * rng.standard_normal()
    return size + size * PEOPLE["axis_scale_sd"] * rng.standard_normal(3)


def _atrophy(
    hard: Difficulty, older: float, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Draws ventricles and thinning without disease, mm: one, and `[r]`.

    Ventricles are skewed to the right by the first terms of Cornish and
    Fisher (1938, Rev Inst Int Stat 5:307).
    """
    own, other = rng.standard_normal(2)
    shared = hard.atrophy_correlation
    thin = shared * own + np.sqrt(1 - shared**2) * other
    thinning = older * hard.thinning_mm_a_year + hard.own_thinning_mm * thin
    thinning = np.clip(
        thinning, PEOPLE["thinning_least_mm"], PEOPLE["thinning_most_mm"]
    )
    regional = hard.own_region_thinning_mm * rng.standard_normal(len(REGIONS))
    skewed = own + hard.ventricle_skew / 6 * (own**2 - 1)
    skewed /= np.sqrt(1 + hard.ventricle_skew**2 / 18)
    ventricle = older * hard.ventricle_mm_a_year
    ventricle += hard.own_ventricle_mm * skewed
    least, most = PEOPLE["ventricle_least_mm"], PEOPLE["ventricle_most_mm"]
    return float(np.clip(ventricle, least, most)), thinning + regional


def _yearly() -> np.ndarray:
    """What a year of age does to the uptake of each region, a share `[r]`."""
    return losses("age_pct_a_year") / 100


def _healthy(rng: np.random.Generator) -> np.ndarray:
    """Draws the uptake without disease, pons-SUVR, `[2, r]`."""
    loading, own = spread()
    names, which = np.unique([r.network for r in REGIONS], return_inverse=True)
    network = rng.standard_normal(len(names))[which]
    single = rng.standard_normal(len(REGIONS))
    mixed = np.sqrt(PEOPLE["network_share"]) * network
    mixed += np.sqrt(1 - PEOPLE["network_share"]) * single
    change = loading * rng.standard_normal() + own * mixed
    # right minus left differs more where the CV is larger
    cv = np.array([PUBLISHED[r.row].cv_pct for r in REGIONS]) / 100
    paired = np.array([r.name not in MIDLINE for r in REGIONS])
    least, most = PEOPLE["asymmetry_least"], PEOPLE["asymmetry_most"]
    asymmetry = np.clip(PEOPLE["asymmetry_of_cv"] * cv, least, most) * paired
    half = 0.5 * asymmetry * rng.standard_normal(len(REGIONS))
    return published_means() * np.stack([1 + change - half, 1 + change + half])
