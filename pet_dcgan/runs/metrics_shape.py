"""What `metrics.json` of an evaluation holds, as its readers rely on it.

A shape is one of `_KINDS`, a list of one shape, a tuple of alternatives, or a
dictionary of shapes by name. A name that ends in `?` may be missing, and `*`
stands for all names that are not listed, which may else hold anything.
"""

import sys
from collections.abc import Iterator
from typing import Any

from pet_dcgan.utils.foreign_text import one_line

_LARGEST = sys.float_info.max  # Python's JSON has integers of any size
_LARGEST_COUNT = 2**53
_DEEPEST = 20


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _LARGEST


def _is_text(value: Any) -> bool:
    """One line, without terminal codes: the assessment is printed."""
    return (
        isinstance(value, str) and len(value) < 10_000 and value.isprintable()
    )


def _is_interval(value: Any) -> bool:
    ends = value if isinstance(value, list) else ()
    return len(ends) == 2 and all(e is None or _is_number(e) for e in ends)


_KINDS = {
    "any": lambda v: not isinstance(v, int | float) or abs(v) <= _LARGEST,
    "count": lambda v: type(v) is int and 0 <= v <= _LARGEST_COUNT,
    "interval": _is_interval,
    "flag": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": _is_number,
    "pair": lambda v: (
        isinstance(v, list) and len(v) == 2 and all(map(_is_text, v))
    ),
    "sign": lambda v: v in ("good", "unknown", "caution", "bad"),
    "text": _is_text,
}


def _or_null(shape: Any) -> tuple[Any, str]:
    return shape, "null"


def _by_kind(shape: Any) -> dict[str, Any]:
    return dict.fromkeys(("synthetic", "real"), shape)


_NUMBER = _or_null("number")
_TEXT = _or_null("text")
# a number with its interval, and why there is none
_SCORE = {"interval?": _or_null("interval"), "missing?": "text", "*": _NUMBER}
_ANY_SCORE = _or_null(_SCORE)
_MEAN = {"mean": _NUMBER, "n": "count"} | _SCORE
_PAIRS = _by_kind(_or_null({"nearest": _MEAN, "random": _MEAN}))
_REGIONS = {"synthetic": {"*": _SCORE}, "real": _or_null({"*": _SCORE})}
_FEATURES = {
    "*": {
        "encoder?": "any",
        "frechet_ratio?": _ANY_SCORE,
        "images": "count",
        "missing?": "text",
        "*": _by_kind(_ANY_SCORE),
    }
}
_INTENSITY = {"wasserstein": _by_kind(_ANY_SCORE)}
# of every evaluation
_COMMON = {
    "assessment": {
        "sign": "sign",
        "headline": "text",
        "findings": [{"about": "text", "sign": "sign", "words": "text"}],
        "may": ["text"],
        "may_not": ["text"],
    },
    "copies": (
        {
            "verdict": "text",
            "words": "text",
            "images": "count",
            "suspects": "count",
            "certain": "count",
            "mixtures": {"*": _NUMBER},
            "listed": "any",
            "*": _NUMBER,
        },
        {"words": "text", "*": "null"},
    ),
    "images": dict.fromkeys(
        ("synthetic", "synthetic_drawn", "held_out"), "count"
    ),
    "intervals": {"level": "number", "missing": _TEXT},
    "membership": {
        "missing": _TEXT,
        "words": "text",
        "*": ("number", _ANY_SCORE),
    },
    "missing": {"*": _TEXT},
    "phantom": "flag",
    "plane": "text",
    "preset": "text",
    "stage": "text",
    "subjects": dict.fromkeys(("training", "held_out", "validation"), "count"),
    "training": {
        "generator": {"epoch": _or_null("count"), "chosen_by": "text"},
        "own_networks?": ["text"],
    },
}
_SHAPE = _COMMON | {
    "diversity": _by_kind(_ANY_SCORE),
    "features": _FEATURES,
    "intensity": _INTENSITY,
    "psnr": _PAIRS,
    "regions": {
        "agreement": {"*": _by_kind(_SCORE)},
        "asymmetry": _or_null(_REGIONS),
        "asymmetry_sd": _or_null(_REGIONS),
        "difference": _REGIONS,
        "mean": _REGIONS,
        "sd": _REGIONS,
    },
    "spectrum": {"*": _by_kind(_ANY_SCORE)},
    "ssim": _PAIRS,
    "windowed_ssim": _PAIRS,
}
_ABSENT = {"missing": "text"}
# of a run with conditions
_STAGE = {
    "images": "count",
    "missing": _TEXT,
    "features?": _FEATURES,
    "beside?": _FEATURES,
    "finest_detail?": _by_kind(_ANY_SCORE),
    "intensity?": _INTENSITY,
    "uptake?": _REGIONS,
    "variety": (
        {"missing": "null", "ratio": _SCORE, "distance": _by_kind(_SCORE)},
        _ABSENT,
    ),
}
_PLANE = {
    "latents": "count",
    "stages": {"*": _STAGE},
    "position": (
        {
            "missing": "null",
            "error_mm": _by_kind(_ANY_SCORE),
            "slope": _by_kind(_ANY_SCORE),
            "unrelated_mm": _NUMBER,
        },
        _ABSENT,
    ),
    "stage": {
        "missing": _TEXT,
        "chance": "number",
        "accuracy": _by_kind(_ANY_SCORE),
        "confusion": _by_kind(_or_null({"*": {"*": _NUMBER}})),
    },
    "identity": {"stages": "pair", "chance": "number", "*": _SCORE},
    "contrast": (
        {
            "missing": "null",
            "stages": "pair",
            "correlation": _by_kind(_SCORE),
            "slope": _by_kind(_SCORE),
            "regions": {"*": _by_kind(_SCORE)},
            "region_slope": _SCORE,
            "region_correlation": _SCORE,
            "share": _NUMBER,
            "halves": _NUMBER,
        },
        _ABSENT | {"stages": "pair"},
    ),
}
_ABSENT_STAGE = {
    "images": "count",
    "missing": "text",
    "subjects": dict.fromkeys(("training", "held_out"), "count"),
}
_VOLUMES_OF_STAGE = _ABSENT_STAGE | {
    "missing": "null",
    "diversity": _by_kind(_MEAN) | {"ratio": _SCORE},
    "roughness": {
        "ratio": _SCORE,
        "axes_ratio": {"*": _SCORE},
        "axes": {"*": _by_kind(_SCORE)},
    },
    "regions": {
        **dict.fromkeys(
            ("error", "covariance", "correlation"), _by_kind(_SCORE)
        ),
        "spread": _SCORE,
        "mean": _by_kind({"*": _SCORE}),
        "difference": {"*": _SCORE},
    },
    "intensity": _INTENSITY,
}
# of a run of volumes, with conditions or of one stage
_VOLUME = _COMMON | {
    "volume": "flag",
    "conditional": "flag",
    "space": "text",
    "planes": {
        "volume": {
            "atlas": "text",
            "latents": "count",
            "stages": {"*": (_VOLUMES_OF_STAGE, _ABSENT_STAGE)},
            "features": _FEATURES,
            **{f"{n}?": _PLANE[n] for n in ("stage", "identity", "contrast")},
        }
    },
}
_CONDITIONAL = _COMMON | {"conditional": "flag", "planes": {"*": _PLANE}}


def require_metrics(metrics: dict[str, Any], *, source: str) -> None:
    """Refuses what is not of a shape that `pet-dcgan evaluate` writes.

    There are three: of a run of one stage, of a run with conditions, and of a
    run of volumes.

    Args:
        metrics: A JSON object.
        source: Where it is from, for the error.

    Raises:
        ValueError: If it is another; in words that end without a remedy.
    """
    shape = _CONDITIONAL if metrics.get("conditional") else _SHAPE
    shape = _VOLUME if metrics.get("volume") else shape
    if fault := _fault(metrics, shape, []):
        raise ValueError(
            f"expected what pet-dcgan evaluate writes in {source}, found "
            f"something else for {fault}"
        )


def _fault(value: Any, shape: Any, place: list[str]) -> str | None:
    """Where a value differs from a shape, None where it does not."""
    if isinstance(shape, tuple):
        faults = [_fault(value, each, place) for each in shape]
        return None if None in faults else faults[0]
    if len(place) > _DEEPEST or not _is_of_kind(value, shape):
        return one_line(".".join(place) or "content")
    parts = ()
    if isinstance(value, dict):
        parts = _parts(value, shape if isinstance(shape, dict) else {})
    elif isinstance(value, list):
        of = shape[0] if isinstance(shape, list) else "any"
        parts = ((str(i), each, of) for i, each in enumerate(value))
    faults = (_fault(part, of, [*place, name]) for name, part, of in parts)
    return next(filter(None, faults), None)


def _is_of_kind(value: Any, shape: Any) -> bool:
    """Whether a value is of a kind, and has the names that it must have."""
    if isinstance(shape, list):
        return isinstance(value, list)
    if isinstance(shape, dict):
        needed = {name for name in shape if name[-1] not in "?*"}
        return (
            isinstance(value, dict)
            and value.keys() >= needed
            and all(map(_is_text, value))
        )
    return _KINDS[shape](value)


def _parts(
    value: dict[str, Any], shape: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Each name of an object, what stands there, and its shape."""
    rest = shape.get("*", "any")
    for name, part in value.items():
        yield name, part, shape.get(name, shape.get(f"{name}?", rest))
