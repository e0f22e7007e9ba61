"""Whether a generator obeys its conditions, and varies within each of them.

Like `pet_dcgan.training.vitals`, on SUVR averaged down to 32x32 pixels.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.distance import cdist, pdist

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import PLANES, STAGES
from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.training.vitals import HealthRecord

# images by the conditions of real ones, and, shared among the planes, by those
# of a request: a check costs as much as three or four training steps
IMAGES, ASKED = 64, 32
# parts of a band at which positions are asked for
_PLACES = (0.2, 0.5, 0.8)
# rows that pairwise distances are taken of, evenly over a set
_PAIRED = 512


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionVitals:
    """How images that were asked for compare with real ones of that kind.

    An effect says how much the images of the same latents change with one
    condition, on the scale of the training images: the regression slope of
    the generated mean images on the real ones, both without their common
    mean. It is 0 where the condition is ignored or changes something else,
    and 1 where the means are those of the training images.

    Args:
        label_weight: Weight of the conditions in the training, 0 to 1; below
            1 they need not be obeyed yet.
        conditional_diversity: Mean distance of two generated images of one
            stage, plane and position, over that of real images of different
            subjects there; the smallest over stages and planes. 0 where each
            condition has one image.
        stage_effect: That of the stage, in the middle of each plane's band.
        plane_effect: That of the plane; NaN where it is no condition.
        position_effect: That of the position, between three of a band; NaN
            where it is no condition.
    """

    label_weight: float
    conditional_diversity: float
    stage_effect: float
    plane_effect: float
    position_effect: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionalRecord(HealthRecord, ConditionVitals):
    """A row of `health.csv` of a conditional training."""


class RealConditions:
    """Real images by what they show; measured once a training.

    Args:
        conditions: Those of the generator.
        values: What each training image shows, float32 `[n, width]` by name,
            as `conditions.inputs` has them.
        rows: Those images `[n, 1024]`, from `pooled`.
        subjects: Subject of each, text `[n]`.

    Attributes:
        typical: Conditions of 64 of the images, evenly over all of them.
        requests: What images are asked for, conditions `[k, width]` by name:
            by plane each stage in the middle of its band, then, of all stages
            in turn, near its ends.

    Raises:
        ValueError: If the shapes do not fit, a pixel is not finite, or a
            stage is absent in a plane.
    """

    def __init__(
        self,
        conditions: Conditions,
        values: Mapping[str, np.ndarray],
        rows: np.ndarray,
        subjects: Sequence[str],
    ) -> None:
        rows, self._subjects = np.asarray(rows), np.asarray(subjects)
        require_finite(rows)
        _require_shapes(conditions, values, rows, subjects)
        self.conditions, self._values = conditions, values
        self._stages = [STAGES.index(name) for name in conditions.stages]
        even = np.linspace(0, len(rows) - 1, IMAGES).round().astype(int)
        self.typical = {
            name: np.asarray(values[name], np.float32)[even]
            for name in conditions.inputs
        }
        self.requests = [
            self._request(plane, *asked)
            for plane in conditions.planes
            for asked in self._asked(plane)
        ]
        # by plane, place and stage
        near = [
            [[self._near(plane, s, mm) for s in self._stages] for mm in places]
            for plane, places in self._places.items()
        ]
        self._means = np.array(
            [[[rows[x].mean(axis=0) for x in y] for y in each] for each in near]
        )
        self._spread = [
            [
                _distance(rows[x], self._subjects[x])
                for x in each[len(each) // 2]
            ]
            for each in near
        ]

    def vitals(
        self, images: np.ndarray, *, label_weight: float
    ) -> ConditionVitals:
        """Measures the images of `requests`.

        Args:
            images: Rows `[requests, k, 1024]`, from `pooled`, of the same
                latents in each request.
            label_weight: Of the training.

        Raises:
            ValueError: If the shape does not fit, or a value is not finite.
        """
        count, latents = len(self.requests), len(self.requests[0]["stage"])
        wanted = count, latents, self._means.shape[-1]
        if np.shape(images) != wanted or not np.isfinite(images).all():
            raise ValueError(
                f"expected finite rows {wanted}, found {np.shape(images)}"
            )
        by_plane = np.reshape(
            np.asarray(images, np.float64),
            [len(self._places), -1, *wanted[1:]],
        )
        stages, ends = np.split(by_plane, [len(self._stages)], axis=1)
        turn = np.arange(latents) % len(self._stages)
        middle = stages[:, turn, np.arange(latents)]
        places = [middle] if not ends.size else [ends[:, 0], middle, ends[:, 1]]
        real = self._means  # [planes, places, stages, 1024]
        real_stages = real[:, real.shape[1] // 2]
        return ConditionVitals(
            label_weight=float(label_weight),
            conditional_diversity=self._diversity(stages),
            stage_effect=_slope(stages.mean(axis=2), real_stages, axis=1),
            plane_effect=_slope(
                middle.mean(axis=1), real_stages.mean(axis=1), axis=0
            ),
            position_effect=_slope(
                np.stack([each.mean(axis=1) for each in places], axis=1),
                real.mean(axis=2),
                axis=1,
            ),
        )

    @functools.cached_property
    def _places(self) -> dict[str, list[float | None]]:
        """Positions that are asked for by plane; None where it is no matter."""
        if "position" not in self.conditions.names:
            return {plane: [None] for plane in self.conditions.planes}
        return {
            # a band of one position has one place
            plane: sorted({low + part * (high - low) for part in _PLACES})
            for plane, (low, high) in self.conditions.bands_mm.items()
        }

    def _asked(self, plane: str) -> list[tuple[int | None, float | None]]:
        """Stages and positions that are asked for; None for all in turn."""
        places = self._places[plane]
        middle = places[len(places) // 2]
        others = [(None, mm) for mm in places if mm != middle]
        return [*((stage, middle) for stage in self._stages), *others]

    def _request(
        self, plane: str, stage: int | None, position: float | None
    ) -> dict[str, np.ndarray]:
        """Conditions of the images of one request."""
        # two or more, of which pairs differ
        count = max(ASKED // len(self._places), 2)
        turn = np.take(self._stages, np.arange(count) % len(self._stages))
        which = turn if stage is None else np.full(count, stage)
        asked = {name: x[:count] for name, x in self.typical.items()}
        asked["stage"] = np.eye(len(STAGES), dtype=np.float32)[which]
        if "plane" in asked:
            which = np.full(count, PLANES.index(plane))
            asked["plane"] = np.eye(len(PLANES), dtype=np.float32)[which]
        if position is not None:
            asked["position_mm"] = np.full([count, 1], position, np.float32)
        return asked

    def _near(
        self, plane: str, stage: int, position: float | None
    ) -> np.ndarray:
        """Images of a plane and stage; of each subject the nearest one."""
        own = np.argmax(self._values["stage"], axis=1) == stage
        if "plane" in self._values:
            planes = np.argmax(self._values["plane"], axis=1)
            own &= planes == PLANES.index(plane)
        rows = np.flatnonzero(own)
        if not len(rows):
            raise ValueError(
                f"expected {plane} images of {STAGES[stage]}, found none"
            )
        if position is None:
            return rows
        away = np.abs(self._values["position_mm"][rows, 0] - position)
        rows = rows[np.argsort(away, kind="stable")]
        return rows[np.unique(self._subjects[rows], return_index=True)[1]]

    def _diversity(self, stages: np.ndarray) -> float:
        """The least variety within a stage and plane, as part of the real."""
        found = [
            pdist(images).mean() / spread
            for plane, spreads in zip(stages, self._spread, strict=True)
            for images, spread in zip(plane, spreads, strict=True)
            if spread > 0
        ]
        return float(min(found, default=np.nan))


def _distance(rows: np.ndarray, subjects: np.ndarray) -> float:
    """Mean distance of images of different subjects, NaN without any."""
    even = np.linspace(0, len(rows) - 1, min(len(rows), _PAIRED))
    even = even.round().astype(int)
    different = subjects[even, None] != subjects[even]
    distances = cdist(rows[even], rows[even])[different]
    return float(distances.mean()) if distances.size else float("nan")


def _require_shapes(
    conditions: Conditions,
    values: Mapping[str, np.ndarray],
    rows: np.ndarray,
    subjects: Sequence[str],
) -> None:
    """Refuses what is not of as many images, or of other conditions."""
    found = {n: np.shape(values.get(n, ())) for n in conditions.inputs}
    wanted = {n: (len(rows), width) for n, width in conditions.inputs.items()}
    if found != wanted or len(subjects) != len(rows):
        raise ValueError(
            f"expected conditions {wanted} and as many subjects, found "
            f"{found} and {len(subjects)}"
        )


def _slope(generated: np.ndarray, real: np.ndarray, *, axis: int) -> float:
    """Regression slope of differences along an axis, NaN without any."""
    generated = generated - generated.mean(axis=axis, keepdims=True)
    real = real - real.mean(axis=axis, keepdims=True)
    size = np.sum(real * real)
    return float(np.sum(generated * real) / size) if size > 0 else float("nan")
