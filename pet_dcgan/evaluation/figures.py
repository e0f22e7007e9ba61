"""The figures of an evaluation, and sheets of nearest neighbours."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.feature_scores import Closest
from pet_dcgan.evaluation.image_scores import BandMeans, Profiles
from pet_dcgan.evaluation.pair_scores import Pairs
from pet_dcgan.evaluation.plots import titled
from pet_dcgan.evaluation.sample_figures import (
    save_bands,
    save_histograms,
    save_intensities,
    save_real_and_synthetic,
    save_spectra,
)
from pet_dcgan.evaluation.training_curves import Curves, save_training_curves
from pet_dcgan.plotting import save_sheet

_WORDS = {
    "real_and_synthetic.png": (
        "Real and synthetic images",
        "Held-out real slices above synthetic ones of the first seeds; "
        "neither was chosen by eye.",
    ),
    "nearest.png": (
        "Synthetic images and the nearest held-out ones",
        "The third row is the difference: mid-grey is none, darker is less "
        "uptake in the synthetic image.",
    ),
    "closest.png": (
        "Closest to a copy",
        "The synthetic images that lie nearest to one training subject "
        "compared with any other, above the training image nearest to them. "
        "If two look like one brain, it is a copy.",
    ),
    "training.png": (
        "Training",
        "By epoch; the dotted line is the epoch whose generator was kept.",
    ),
    "histograms.png": (
        "Joint histograms",
        "Pixels of an image against those of its nearest real image, for the "
        "pair of median distance; equal images fill the diagonal.",
    ),
    "intensities.png": (
        "Intensities",
        "How often each SUVR occurs, over all images of each kind.",
    ),
    "spectrum.png": (
        "Power spectrum",
        "Lines are means, bands the middle 80 % of images. A checkerboard "
        "lifts the right end, blur lowers it.",
    ),
    "bands.png": (
        "Uptake by band (Bland-Altman)",
        "Each point is an image and its nearest real one. Real points are "
        "real images beside those of other subjects.",
    ),
}


class Material(NamedTuple):
    """What figures are drawn of.

    Args:
        pairs: Images and their nearest real ones, by kind.
        closest: Pairs that look most like copies, if they could be looked
            for.
        curves: Of the training.
        kept: Epoch of the generator.
        profiles: Spectra and histograms.
        bands: Means by band, by kind.
    """

    pairs: dict[str, Pairs | None]
    closest: Closest | None
    curves: Curves
    kept: int
    profiles: Profiles
    bands: dict[str, BandMeans | None]


def save_pictures(
    folder: Path, material: Material, config: TrainConfig
) -> dict[str, dict[str, str]]:
    """Draws every figure there is material for.

    Args:
        folder: Where the PNG files go; those of an earlier evaluation are
            replaced, or removed where there is no longer material.
        material: What they are drawn of.
        config: The run's.

    Returns:
        Title and caption by file name, in the order of the page.
    """
    synthetic = material.pairs["synthetic"]
    save_real_and_synthetic(
        folder / "real_and_synthetic.png", synthetic, config
    )
    save_nearest(folder / "nearest.png", synthetic, config)
    save_histograms(folder / "histograms.png", material.pairs, config)
    profiles = material.profiles
    save_intensities(folder / "intensities.png", profiles.histograms, config)
    save_spectra(folder / "spectrum.png", profiles.spectra, config)
    save_bands(folder / "bands.png", material.bands, config)
    missing = set()
    if material.closest is None:
        missing.add("closest.png")
    else:
        save_closest(folder / "closest.png", material.closest, config)
    drawn = save_training_curves(
        folder / "training.png", material.curves, config, kept=material.kept
    )
    if not drawn:
        missing.add("training.png")
    for name in missing:
        (folder / name).unlink(missing_ok=True)
    return {
        name: {"title": title, "caption": caption}
        for name, (title, caption) in _WORDS.items()
        if name not in missing
    }


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
