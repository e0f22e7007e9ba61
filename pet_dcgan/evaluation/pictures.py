"""The figures of an evaluation: which there are, and what they show."""

from pathlib import Path
from typing import NamedTuple

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.copies import Closest
from pet_dcgan.evaluation.curve_figure import save_training_curves
from pet_dcgan.evaluation.image_scores import BandMeans, Profiles
from pet_dcgan.evaluation.pair_figures import (
    save_histograms,
    save_real_and_synthetic,
)
from pet_dcgan.evaluation.pairs import Pairs
from pet_dcgan.evaluation.sample_figures import (
    save_bands,
    save_intensities,
    save_spectra,
)
from pet_dcgan.evaluation.sheets import save_closest, save_nearest
from pet_dcgan.evaluation.training_log import Curves

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
