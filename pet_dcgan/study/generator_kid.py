"""How good the generators of a study are, by their KID."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

# Above it an evaluation would say "failed": as if every whitened feature were
# shifted by 0.3 SD. How soon generators reach it: docs/study.md.
KID_LIMIT = 0.295  # (1 + 0.3^2)^3 - 1, see `mean_shift`
_NAMED = 5


def kid_summary(generators: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How good the generators are that synthetic images are judged by.

    Args:
        generators: From `describe`.

    Returns:
        `limit`, `measured` (generators with a KID), `above` (those over the
        limit), `median` and `worst` (None where none was measured), `words`.
    """
    found = [g["val_kid"] for g in generators if g["val_kid"] is not None]
    bad = [g for g in generators if (g["val_kid"] or 0) > KID_LIMIT]
    summary = {
        "limit": KID_LIMIT,
        "measured": len(found),
        "above": len(bad),
        "median": statistics.median(found) if found else None,
        "worst": max(found, default=None),
    }
    return summary | {"words": _kid_words(summary, bad)}


def _kid_words(
    summary: Mapping[str, Any], bad: Sequence[Mapping[str, Any]]
) -> str:
    """The KID of all generators in a sentence or two."""
    if not summary["measured"]:
        return "The KID of no generator was measured."
    line = (
        f"KID of {summary['measured']} generators on validation subjects: "
        f"median {summary['median']:.2f}, worst {summary['worst']:.2f}."
    )
    if not bad:
        return line
    names = "; ".join(
        f"split {g['split']} seed {g['seed']} {g['stage']} {g['plane']} "
        f"{g['fraction']} % ({g['val_kid']:.2f})"
        for g in bad[:_NAMED]
    )
    more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return (
        f"{line} Not good enough to judge synthetic images by, with a KID "
        f"above {KID_LIMIT}: {names}{more}. Train longer (--epochs) or on "
        "more subjects."
    )
