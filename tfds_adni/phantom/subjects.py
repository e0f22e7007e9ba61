"""The phantom's subjects: regional uptake, atrophy and shape of the head.

A region's uptake is its published mean times one plus the scan's own level,
the level of the region's network, the region's own, and half the difference
between the sides, each with a published spread; then the stage's loss.
"""

from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.regions import (
    MIDLINE,
    PUBLISHED,
    REGIONS,
    published_means,
    spread,
)
from tfds_adni.tables.cells import STAGES

FIRST_RID = 9001
_SEVERITY_SD = 0.4  # of the mean loss
_TILT = 0.02  # SD in radians: ADNI turns heads to the AC-PC line
_SHIFT_MM = 1.0
_NETWORK_SHARE = 0.6  # of a region's own variance
_YEARLY_PROGRESS = {"NC": 0.0, "MCI": 0.15, "AD": 0.12}
_AGES = {"NC": (75, 6), "MCI": (74, 7), "AD": (75, 8)}  # mean and SD
# Added in mm by disease of mean severity.
_VENTRICLE_MM = {"NC": 0.0, "MCI": 0.6, "AD": 1.5}
_THINNING_MM = {"NC": 0.0, "MCI": 0.2, "AD": 0.5}


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
        loss: Share lost in each region at the first visit, `[2, r]`.
        years: Years from the first visit to each one.
        progress: Loss at each visit over the loss at the first.
        ventricle_mm: How far the ventricles' walls moved out.
        thinning_mm: How much grey matter is lost along the sulci.
        scale: Size of the head over the template's, `[3]`.
        tilt: Rotation of the head about the axes at each visit, in
            radians, `[visits, 3]`.
        shift: Its distance from the middle in mm, `[visits, 3]`.
    """

    rid: int
    stage: str
    age: float
    sex: str
    healthy: np.ndarray
    loss: np.ndarray
    years: tuple[int, ...]
    progress: tuple[float, ...]
    ventricle_mm: float
    thinning_mm: float
    scale: np.ndarray
    tilt: np.ndarray
    shift: np.ndarray

    @property
    def ptid(self) -> str:
        """The id in ADNI's form, of the invented site 999."""
        return f"999_S_{self.rid}"

    def uptake(self, visit: int = 0) -> np.ndarray:
        """Regional uptake at a visit, pons-SUVR, `[2, r]`."""
        loss = np.minimum(self.loss * self.progress[visit], 0.6)
        return self.healthy * (1 - loss)


def random_stream(seed: int, rid: int, part: int) -> np.random.Generator:
    """Returns the random numbers of a subject, a stream for each purpose.

    Args:
        seed: Of the whole cohort.
        rid: Of the subject.
        part: Number of the stream.
    """
    return np.random.default_rng([seed, rid, part])


def make_subject(stage: str, number: int, *, seed: int = 0) -> Subject:
    """Draws a simulated subject.

    Args:
        stage: "NC", "MCI" or "AD".
        number: Which subject of the stage, from 0.
        seed: Of the whole cohort.
    """
    rid = FIRST_RID + number * len(STAGES) + STAGES.index(stage)
    rng = random_stream(seed, rid, 0)
    age = float(np.clip(rng.normal(*_AGES[stage]), 55, 90))
    sex = str(rng.choice(["F", "M"]))
    severity = rng.gamma(_SEVERITY_SD**-2, _SEVERITY_SD**2)
    draw = rng.random()
    years = tuple(range(1 if draw > 1 / 3 else 2 if draw > 1 / 6 else 3))
    rate = _YEARLY_PROGRESS[stage]
    healthy, loss = _healthy(rng), _loss(stage, severity, rng)
    ventricle = 0.2 + 0.06 * (age - 72) + _VENTRICLE_MM[stage] * severity
    thinning = 0.012 * (age - 72) + _THINNING_MM[stage] * severity
    size = 0.905 if sex == "F" else 0.93  # of the MNI template's head
    return Subject(
        rid=rid,
        stage=stage,
        age=age,
        sex=sex,
        healthy=healthy,
        loss=loss,
        years=years,
        progress=tuple(1 + rate * y for y in years),
        ventricle_mm=float(np.clip(ventricle + rng.normal(0, 0.6), -1, 6)),
        thinning_mm=float(np.clip(thinning + rng.normal(0, 0.1), -0.3, 2)),
        scale=size * (1 + rng.normal(0, 0.02) + rng.normal(0, 0.012, 3)),
        tilt=rng.normal(0, _TILT, (len(years), 3)),
        shift=rng.normal(0, _SHIFT_MM, (len(years), 3)),
    )


def _healthy(rng) -> np.ndarray:
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
    return published_means() * np.stack([1 + change - half, 1 + change + half])


def _loss(stage: str, severity: float, rng) -> np.ndarray:
    """Draws the share lost: the stage's mean times severity, lopsided."""
    if stage == "NC":
        return np.zeros((2, len(REGIONS)))
    name = f"{stage.lower()}_loss_pct"
    mean = np.array([getattr(r, name) for r in REGIONS]) / 100
    regional = np.maximum(rng.normal(1, 0.12, len(REGIONS)), 0)
    tilt = 0.12 * rng.standard_normal()
    sides = np.array([[1 - tilt], [1 + tilt]])
    return severity * sides * regional * mean
