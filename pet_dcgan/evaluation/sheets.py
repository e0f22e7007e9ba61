"""Sheets of synthetic images above the real ones nearest to them."""

from pathlib import Path

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.copies import Closest
from pet_dcgan.evaluation.pairs import Pairs
from pet_dcgan.evaluation.plots import titled
from pet_dcgan.figures import save_sheet

_SHOWN = 8


def save_nearest(path: str | Path, pairs: Pairs, config: TrainConfig) -> None:
    """Synthetic images of the first seeds above their nearest held-out ones.

    They are not chosen by eye. The third row is the difference, from grey:
    darker where the synthetic image has less uptake.

    Args:
        path: PNG to write.
        pairs: Of synthetic images.
        config: The run's.
    """
    images = pairs.images[:_SHOWN]
    partners = pairs.real[pairs.partners["nearest"][:_SHOWN]]
    middle = config.suvr_max / 2
    difference = np.clip(middle + images - partners, 0, config.suvr_max)
    rows = [
        ("synthetic", images),
        ("nearest real", partners),
        ("difference", difference),
    ]
    _save(path, rows, "synthetic and nearest held-out images", config)


def save_closest(
    path: str | Path, closest: Closest, config: TrainConfig
) -> None:
    """The pairs that look most like copies, the closest first.

    Args:
        path: PNG to write.
        closest: The pairs.
        config: The run's.
    """
    rows = [
        ("synthetic", closest.synthetic),
        ("nearest training", closest.training),
    ]
    _save(path, rows, "closest to one training subject", config)


def _save(path: str | Path, rows, words: str, config: TrainConfig) -> None:
    save_sheet(
        path,
        rows,
        title=titled(config, words),
        suvr_max=config.suvr_max,
        phantom=False,  # the title says it already
    )
