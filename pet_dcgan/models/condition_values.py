"""What a conditional generator is asked for, checked and as numbers.

Importing this needs neither TensorFlow nor Keras.
"""

import math
import numbers
from collections.abc import Sequence
from typing import Any

from pet_dcgan.conditions import WEIGHTS_SLACK, Conditions
from pet_dcgan.config import ALL_PLANES, ALL_STAGES, STAGES
from pet_dcgan.utils.plain_values import shown


def stage_weights(stage: str | Sequence[float]) -> tuple[float, ...]:
    """Weights of NC, MCI and AD.

    Args:
        stage: A stage's name, or its three weights, which sum to 1.

    Raises:
        ValueError: If the name is unknown, or they are no such weights.
    """
    if isinstance(stage, str):
        if stage not in STAGES:
            raise ValueError(
                f"expected a stage among {', '.join(STAGES)}, found "
                f"{shown(stage)}: choose one, or give three weights"
            )
        return tuple(float(stage == name) for name in STAGES)
    try:
        weights = tuple(float(value) for value in stage)
    except (OverflowError, TypeError, ValueError):
        weights = ()
    fits = len(weights) == len(STAGES) and min(weights) >= 0
    # NaN, which min may pass over, is not within any slack
    if not (fits and abs(sum(weights) - 1.0) <= WEIGHTS_SLACK):
        raise ValueError(
            f"expected weights of {', '.join(STAGES)} of 0 or more that sum "
            f"to 1, found {shown(stage)}: give three, or a stage's name"
        )
    return weights


def checked_values(
    conditions: Conditions,
    *,
    stage: str | Sequence[float] = ALL_STAGES,
    plane: str = ALL_PLANES,
    position_mm: float | None = None,
    age: float | None = None,
    sex: str | None = None,
) -> dict:
    """What is asked for, as numbers, if a generator knows it.

    Args:
        conditions: Of the generator.
        stage: A stage, the weights of all three, or `"ALL"` for any.
        plane: A plane that the generator knows, or `"ALL"` for any.
        position_mm: Distance from the centre of the brain, within the band.
        age: Years.
        sex: `"F"` or `"M"`.

    Returns:
        `stage`: three weights, or None; `plane`: a name, or None;
        `position_mm`: a number, or None; `age` and `sex`: numbers, NaN where
        they are unknown.

    Raises:
        ValueError: If the generator does not know it.
    """
    anything = isinstance(stage, str) and stage == ALL_STAGES
    weights = None if anything else stage_weights(stage)
    for name, weight in zip(STAGES, weights or (), strict=False):
        if weight and name not in conditions.stages:
            raise ValueError(
                f"expected a stage among {', '.join(conditions.stages)}, "
                f"which the generator was trained on, found {name}: give one"
            )
    planes = conditions.planes
    if plane not in (*planes, ALL_PLANES):
        raise ValueError(
            f"expected a plane among {', '.join(planes)}, which the generator "
            f"was trained on, found {shown(plane)}: give one"
        )
    plane = planes[0] if len(planes) == 1 else plane
    if position_mm is not None:
        _require_position(conditions, plane, position_mm)
    _require_person(conditions, age, sex)
    return {
        "stage": weights,
        "plane": None if plane == ALL_PLANES else plane,
        "position_mm": None if position_mm is None else float(position_mm),
        "age": math.nan if age is None else float(age),
        "sex": math.nan if sex is None else float(sex == "M"),
    }


def _require_position(
    conditions: Conditions, plane: str, position_mm: float
) -> None:
    """Refuses a position that a generator does not know."""
    if "position" not in conditions.names:
        raise ValueError(
            f"expected no position, found {shown(position_mm)}: the "
            f"generator's conditions are {', '.join(conditions.names)}, leave "
            "it out"
        )
    if plane == ALL_PLANES:
        raise ValueError(
            f"expected a plane with position {shown(position_mm)}, found "
            f"none: name one of {', '.join(conditions.planes)}"
        )
    low, high = conditions.bands_mm[plane]
    if not _lies_within(position_mm, low, high):
        raise ValueError(
            f"expected a position from {low:g} to {high:g} mm in the "
            f"{plane} plane, found {shown(position_mm)}: give one of these"
        )


def _lies_within(value: Any, low: float, high: float) -> bool:
    """Whether a value is a number of an interval; NaN is of none."""
    return isinstance(value, numbers.Real) and low <= value <= high


def _require_person(
    conditions: Conditions, age: float | None, sex: str | None
) -> None:
    """Refuses an age or a sex that a generator does not know."""
    for name, value in (("age", age), ("sex", sex)):
        if value is not None and name not in conditions.names:
            raise ValueError(
                f"expected no {name}, found {shown(value)}: the generator's "
                f"conditions are {', '.join(conditions.names)}, leave it out"
            )
    low, high = conditions.ages or (0.0, 0.0)
    if age is not None and not _lies_within(age, low, high):
        raise ValueError(
            f"expected an age from {low:g} to {high:g}, which the generator "
            f"was trained on, found {shown(age)}: give one, or leave it out"
        )
    if sex not in (None, "F", "M"):
        raise ValueError(
            f"expected sex F or M, found {shown(sex)}: give one, or leave it "
            "out"
        )
