"""Numbers of `metrics.json` in words."""

from typing import Any

NONE = "–"
# numbers that nobody wants all digits of
_ENDLESS = 10_000


def written(found: Any, digits: int) -> tuple[str, str]:
    """A number with its standard error, and its interval.

    Args:
        found: A number, or what `pet_dcgan.evaluation.numbers` makes of one;
            None where there is none.
        digits: Behind the point.

    Returns:
        `"1.23 ± 0.04"`, and `"[1.15, 1.31]"` or `""`.
    """
    if not isinstance(found, dict):
        found = {"value": found}
    value = found.get("mean", found.get("value"))
    if value is None:
        return NONE, ""
    text = _fixed(value, digits)
    if found.get("standard_error") is not None:
        text += f" ± {_fixed(found['standard_error'], digits)}"
    if not found.get("interval"):
        return text, ""
    low, high = (_fixed(end, digits) for end in found["interval"])
    return text, f"[{low}, {high}]"


def _fixed(value: float, digits: int) -> str:
    """Fixed digits, a power of ten for what would be nothing or endless."""
    text = f"{value:.{digits}f}"
    if (value and float(text) == 0) or abs(value) >= _ENDLESS:
        text = f"{value:.1e}"
    return text.replace("-", "−")
