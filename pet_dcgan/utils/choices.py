"""Values that are one of some names: found, checked, and what was meant."""

import difflib
from collections.abc import Collection, Sequence
from typing import Any

from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.plain_values import shown


def checked_names(field: str, value: str, known: Sequence[str]) -> str:
    """Names that commas join, each once, if they are known.

    Args:
        field: What they are, for an error.
        value: `"none"`, or names with commas between.
        known: The names there are.

    Raises:
        ValueError: If one is unknown, or comes twice.
    """
    names = () if value == "none" else split_names(value)
    unknown = sorted(set(names) - set(known))
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"expected {field} to be none or some of {','.join(known)}, each "
            f"once, found {one_line(', '.join(unknown or names))}"
        )
    return value


def similar(value: Any, choices: Collection[Any]) -> list[str]:
    """Up to three choices that resemble a misspelt value, the nearest first.

    Args:
        value: What was found; its case does not matter.
        choices: What is allowed.
    """
    by_letters = {str(choice).lower(): str(choice) for choice in choices}
    wanted = str(value)[:80].lower()
    found = difflib.get_close_matches(wanted, by_letters, 3, 0.5)
    return [by_letters[each] for each in found]


def unknown_choice(name: str, value: Any, choices: Collection[Any]) -> str:
    """The error for a value that is none of few choices.

    Args:
        name: What it is of.
        value: What was found.
        choices: What is allowed.
    """
    allowed = ", ".join(map(str, choices))
    near = similar(value, choices)
    meant = near[0] if len(near) == 1 else "one of them"
    return (
        f"expected {name} among {allowed}, found {shown(value)}: write {meant}"
    )


def closest(value: Any, choices: Collection[Any]) -> str:
    """The choices that resemble a misspelt value, or all of them.

    Args:
        value: What was found.
        choices: What is allowed.
    """
    return ", ".join(similar(value, choices) or map(str, choices))


def split_names(text: str) -> tuple[str, ...]:
    """The names that commas join.

    Args:
        text: As `"translate,cutout"`.
    """
    return tuple(part.strip() for part in text.split(","))
