"""The values that a training's settings may have."""

import contextlib
import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pet_dcgan.presets import PRESETS

STAGES = ("NC", "MCI", "AD")
# a generator of every stage together, for others to start from
ALL_STAGES = "ALL"
PLANES = ("axial", "coronal", "sagittal")
AUGMENTATIONS = ("translate", "cutout", "rotate", "scale")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

_CHOICES: dict[str, tuple] = {
    "preset": tuple(PRESETS),
    "stage": (*STAGES, ALL_STAGES),
    "plane": PLANES,
    "size": (32, 64, 128, 256),
    "channels": (1, 3),
    "precision": PRECISIONS,
}
# closed intervals
_LIMITS: dict[str, tuple[float, float]] = {
    "latent_dim": (1, 4096),
    "width": (1, 512),
    "kernel_size": (2, 9),
    "batch_size": (2, 4096),
    "epochs": (1, 1_000_000),
    "samples_every": (1, 1_000_000),
    "g_learning_rate": (1e-8, 1.0),
    "d_learning_rate": (1e-8, 1.0),
    "beta_1": (0.0, 0.9999),
    "beta_2": (0.0, 0.999999),
    "spacing_mm": (0.1, 100.0),
    "suvr_max": (0.1, 1000.0),
    "seed": (0, 2**31 - 1),
    "ema_decay": (0.0, 0.999999),
    "augment_probability": (0.0, 1.0),
    "augment_target": (0.0, 1.0),
    "label_smoothing": (0.0, 0.49),
    "r1_weight": (0.0, 10_000.0),
    "r1_every": (1, 1000),
    "select_every": (0, 1_000_000),
    "patience": (0, 1_000_000),
}
# above its least value, the first is nothing without the second
_NEEDING = (("patience", 0, "select_every"), ("r1_every", 1, "r1_weight"))


def of_kind(name: str, kind: type, value: Any) -> Any:
    """A value as the kind that its field has; nothing is rounded silently.

    Args:
        name: The field's.
        kind: `int`, `float`, `bool` or `str`.
        value: Of that kind, or text that says one.

    Raises:
        ValueError: If it is of another kind.
    """
    wanted = {int: "a whole number", float: "a number", bool: "true or false"}
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind in (str, bool):
        if isinstance(value, kind):
            return value
    elif not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError):
            number = float(value)
            if math.isfinite(number) and number == kind(number):
                return kind(number)
    raise ValueError(
        f"expected {name} to be {wanted.get(kind, 'text')}, found {value!r}"
    )


def within_limits(name: str, value: Any) -> None:
    """Refuses a value that its field cannot have.

    Args:
        name: The field's.
        value: Of the field's kind.

    Raises:
        ValueError: If it is none of the field's choices (the nearest are
            named), or outside its limits.
    """
    if name in _CHOICES and value not in _CHOICES[name]:
        choices = nearest(value, _CHOICES[name])
        raise ValueError(f"expected {name} among {choices}, found {value!r}")
    if name in _LIMITS:
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise ValueError(
                f"expected {name} between {low} and {high}, found {value!r}"
            )
    if name == "augment" and value != "none":
        _known_augmentations(names_in(value))


def require_sense(values: Mapping[str, Any]) -> None:
    """Refuses settings that contradict each other.

    Args:
        values: Every setting of a preset by name, and others that are not
            looked at.

    Raises:
        ValueError: If two of them do.
    """
    augment = values["augment"]
    strength = values["augment_probability"] or values["augment_target"]
    if augment == "none" and strength:
        raise ValueError(
            "expected an augmentation with augment_probability or "
            "augment_target, found augment none: name some of "
            f"{','.join(AUGMENTATIONS)} with --set augment=, or set both to 0"
        )
    if augment != "none" and not strength:
        raise ValueError(
            f"expected a probability for augment {augment}, found 0: add "
            "--set augment_probability= or --set augment_target="
        )
    for name, least, needed in _NEEDING:
        if values[name] > least and not values[needed]:
            raise ValueError(
                f"expected {needed} with {name} {values[name]}, found 0: add "
                f"--set {needed}="
            )


def nearest(value: Any, choices: Iterable[Any]) -> str:
    """The choices that a misspelt value is like, or all where it is like none.

    Args:
        value: What was found.
        choices: What it could have been.

    Returns:
        Up to three of them, or all, joined by commas.
    """
    choices = [str(choice) for choice in choices]
    like = difflib.get_close_matches(str(value), choices, 3, 0.5)
    return ", ".join(like or choices)


def names_in(text: str) -> tuple[str, ...]:
    """The names in a text that joins them by commas."""
    return tuple(part.strip() for part in text.split(","))


def _known_augmentations(names: tuple[str, ...]) -> None:
    unknown = sorted(set(names) - set(AUGMENTATIONS))
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"expected augment to be none or some of {','.join(AUGMENTATIONS)}"
            f", each once, found {', '.join(unknown or names)}"
        )
