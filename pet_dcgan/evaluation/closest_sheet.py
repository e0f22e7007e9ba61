"""The sheet of images that look most like copies."""

from pathlib import Path

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.copy_scores import ClosestPairs
from pet_dcgan.evaluation.plots import run_title
from pet_dcgan.plotting import save_sheet
from pet_dcgan.references import SUVR_LABELS

# images in a row; a volume is three cuts
_SHOWN, _VOLUMES = 8, 4


def save_closest(
    path: Path, closest: ClosestPairs, config: TrainConfig
) -> tuple[str, str]:
    """Draws suspects, or else the closest images, above what they are like.

    Args:
        path: PNG to write.
        closest: The images.
        config: The run's.

    Returns:
        Title and caption.
    """
    save_sheet(
        path,
        _closest_rows(closest),
        title=run_title(config, "closest to one training subject"),
        suvr_max=config.suvr_max,
        phantom=False,  # the title says it already
        label=SUVR_LABELS[config.reference],
    )
    return _closest_words(closest)


def _closest_words(closest: ClosestPairs) -> tuple[str, str]:
    """Title and caption of the sheet of suspects, or of the closest images."""
    shown, suspects = len(closest.synthetic), closest.suspects
    beside = (
        "above the training image nearest to each (mirrored where that is "
        "what it is like), the nearest first, as listed in metrics.json. If "
        "two look like one brain, it is a copy."
    )
    if not suspects:
        return "Closest to a copy", (
            "No image is suspected to be a copy. These lie nearest to one "
            f"training subject compared with any other, {beside}"
        )
    more = suspects - shown
    which = f"{shown} of {suspects:,} suspects" if more else "Every suspect"
    left = f" {more:,} more are not shown." if more else ""
    return "Suspected copies", f"{which}, {beside}{left}"


def _closest_rows(closest: ClosestPairs) -> list[tuple[str, np.ndarray]]:
    """Rows of images, each above the row of what they are like."""
    rows = []
    columns = _SHOWN if closest.synthetic.ndim == 3 else _VOLUMES
    for start in range(0, len(closest.synthetic), columns):
        part = slice(start, start + columns)
        rows.append(("synthetic", closest.synthetic[part]))
        rows.append(("nearest training", closest.training[part]))
    return rows
