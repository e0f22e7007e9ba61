"""Rows of conditions: as a server takes them, and as a network does.

A row is what `checked_values` returns, with nothing left open that the
generator has to know. Importing this needs neither TensorFlow nor Keras.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import PLANES, STAGES
from pet_dcgan.models.condition_values import checked_values

# JSON has no NaN
UNKNOWN_AGE = -1.0
# as numbers that a network takes
SEXES = {0.0: "F", 1.0: "M"}


def as_columns(
    conditions: Conditions, rows: Sequence[Mapping[str, Any]]
) -> dict[str, list]:
    """What the signatures of an exported model take, beside seeds or latents.

    Args:
        conditions: Of the model.
        rows: What each image is asked for.

    Returns:
        By name a list with an entry a row: `stage` three weights, `plane` and
        `sex` texts, `position_mm` and `age` numbers; only what is among the
        conditions.
    """
    return {
        name: [_as_sent(name, row[name]) for row in rows]
        for name in conditions.inputs
    }


def _as_sent(name: str, value: Any) -> Any:
    """A value as a request has it."""
    if name == "stage":
        return list(value)
    if name == "sex":
        return SEXES.get(value, "")
    if name == "age" and math.isnan(value):
        return UNKNOWN_AGE
    return value


def as_inputs(
    conditions: Conditions, rows: Sequence[Mapping[str, Any]]
) -> dict[str, np.ndarray]:
    """What a network takes, beside latents.

    Args:
        conditions: Of the network.
        rows: What each image is asked for.

    Returns:
        float32 `[n, width]` by name, as `conditions.inputs`.
    """

    def numbers(name: str, value: Any) -> Any:
        if name == "plane":
            return [float(value == plane) for plane in PLANES]
        return value

    return {
        name: np.reshape(
            np.array([numbers(name, row[name]) for row in rows], np.float32),
            [len(rows), width],
        )
        for name, width in conditions.inputs.items()
    }


def example_rows(conditions: Conditions) -> list[dict[str, Any]]:
    """Rows that between them use all that a generator knows.

    Every stage in every plane, at both ends of its band; a mixture of stages;
    both sexes, both ends of the ages, and neither.

    Args:
        conditions: Of the generator.

    Returns:
        What `checked_values` returns for each.
    """
    known = conditions.stages
    mixture = [float(stage in known[:2]) / 2 for stage in STAGES]
    people = [{}]
    if "age" in conditions.names:
        people += [{"age": age} for age in conditions.ages]
    if "sex" in conditions.names:
        people += [{"sex": sex} for sex in SEXES.values()]
    found = []
    for plane, band in conditions.bands_mm.items():
        for number, stage in enumerate((*known, mixture)):
            asked = {"stage": stage, "plane": plane}
            if "position" in conditions.names:
                asked["position_mm"] = band[number % 2]
            asked |= people[len(found) % len(people)]
            found.append(checked_values(conditions, **asked))
    return found
