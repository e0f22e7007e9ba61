"""What every synthetic PNG says of itself, in text chunks."""

import math
from collections.abc import Mapping
from typing import Any

from pet_dcgan.config import STAGES
from pet_dcgan.models.condition_rows import SEXES
from pet_dcgan.models.model_info import ModelInfo


def description(facts: ModelInfo, row: Mapping[str, Any] | None = None) -> str:
    """What an image is, in words of at most 79 letters.

    Args:
        facts: Of its model.
        row: What it was asked for, where the model is conditional; numbers
            are rounded, mixtures of stages are in percent.
    """
    phantom = " phantom" if facts.phantom else ""
    if row is None:
        kind = "volume" if facts.is_volume else "slice"
        return f"synthetic{phantom} PET {kind}, not for diagnosis"
    texts = row_texts(row)
    if texts["stage"] not in STAGES:
        percent = "/".join(f"{100 * weight:.0f}" for weight in row["stage"])
        texts["stage"] = f"{percent}%"
    parts = [texts["stage"], row["plane"]]
    if row["position_mm"] is not None:
        parts.append(f"{row['position_mm']:.1f}mm")
    if texts["age"]:
        parts.append(f"{row['age']:.0f}y")
    words = " ".join([*parts, texts["sex"]]).strip()
    return f"synthetic{phantom} PET, not for diagnosis: {words}"


def row_texts(row: Mapping[str, Any]) -> dict[str, str]:
    """What an image was asked for, as texts; empty where nothing was.

    Args:
        row: From `checked_values`, with a stage and a plane.

    Returns:
        `stage`: a name, or the three weights with commas between; `plane`;
        `position_mm`, `age` and `sex`.
    """
    named = dict(zip(row["stage"], STAGES, strict=True))
    weights = ",".join(f"{weight:g}" for weight in row["stage"])
    position, age = row["position_mm"], row["age"]
    return {
        "stage": named.get(1.0, weights),
        "plane": row["plane"],
        "position_mm": "" if position is None else f"{position:g}",
        "age": "" if math.isnan(age) else f"{age:g}",
        "sex": SEXES.get(row["sex"], ""),
    }


def png_notes(
    facts: ModelInfo, row: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Keywords and texts of an image; without a row the same for all.

    Args:
        facts: Of its model.
        row: What it was asked for, where the model is conditional.
    """
    notes = {
        "Description": description(facts, row),
        "synthetic": "true",
        "phantom": str(facts.phantom).lower(),
        "stage": facts.stage,
        "plane": facts.plane,
        "suvr_max": str(facts.suvr_max),
        "spacing_mm": str(facts.spacing_mm),
        **({"space": facts.space} if facts.is_volume else {}),
    }
    texts = {} if row is None else row_texts(row)
    return notes | {name: text for name, text in texts.items() if text}
