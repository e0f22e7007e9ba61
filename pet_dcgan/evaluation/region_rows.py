"""Which numbers of regions the report shows, and under which words."""

from collections.abc import Iterator
from typing import Any

_AGREEMENT = (
    {
        "label": "Correlations between regions, agreement",
        "path": "regions.agreement.correlation.*",
    },
    {
        "label": "Correlations between regions, root mean square difference",
        "path": "regions.agreement.difference.*",
    },
    {
        "label": "SDs of regions, factor by which they differ",
        "path": "regions.agreement.sd_factor.*",
        "digits": 2,
    },
)
_EACH = (
    ("mean", "Mean uptake, {}", "SUVR"),
    ("sd", "SD of uptake, {}", "SUVR"),
    ("difference", "Difference to the nearest real image, {}", "SUVR"),
)
_SIDES = (
    ("asymmetry", "Left against right, {}", ""),
    ("asymmetry_sd", "SD of left against right, {}", ""),
)


def region_tables(
    regions: dict[str, Any],
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The tables of regions.

    Args:
        regions: `regions` of `metrics.json`.

    Yields:
        Heading, words and what each row takes, as `report.Group` has them.
    """
    yield (
        "How regions vary together",
        "Correlations and SDs over images of the uptake of nine regions. Few "
        "real subjects have chance in theirs; the real figure is what a "
        "perfect generator would have beside these subjects, as their halves "
        "tell.",
        list(_AGREEMENT),
    )
    yield (
        "Uptake by region",
        "Nine parts of each slice's own brain, not those of an atlas; slices "
        "lie at all levels. Real figures are of the held-out images; those "
        "of differences are of real images beside other subjects.",
        _rows(_EACH, regions),
    )
    if regions["asymmetry"] and regions["asymmetry_sd"]:
        yield (
            "Left against right",
            "(left − right) over their mean. People's brains lean to one "
            "side; a generator that has learnt from mirrored images has a "
            "mean of 0.",
            _rows(_SIDES, regions),
        )


def _rows(
    parts: tuple[tuple[str, str, str], ...], regions: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row for each number and region."""
    return [
        {
            "label": label.format(name),
            "path": f"regions.{what}.*.{name}",
            "unit": unit,
        }
        for what, label, unit in parts
        for name in regions[what]["synthetic"]
    ]
