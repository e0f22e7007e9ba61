"""The figures of an evaluation: sheets of images, and all plots."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.closest_sheet import save_closest
from pet_dcgan.evaluation.copy_scores import ClosestPairs
from pet_dcgan.evaluation.images import evenly_spaced
from pet_dcgan.evaluation.pair_scores import Pairs
from pet_dcgan.evaluation.plots import (
    run_title,
    save,
    save_intensities,
    save_spectra,
)
from pet_dcgan.evaluation.region_plots import save_agreement, save_regions
from pet_dcgan.evaluation.region_scores import RegionData
from pet_dcgan.evaluation.training_curves import save_training_curves
from pet_dcgan.metrics.spectrum import Spectrum
from pet_dcgan.metrics.uptake import joint_histogram
from pet_dcgan.plotting import save_sheet
from pet_dcgan.runs.run import Run

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
    "closest.png": ("Closest to a copy", ""),
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
    "regions.png": (
        "Uptake by region",
        "Nine parts of each slice's own brain, in the order of the image; left "
        "is the subject's left. SDs and correlations are over images, which "
        "lie at all levels.",
    ),
    "agreement.png": (
        "Uptake by region (Bland-Altman)",
        "Each point is an image and its nearest real one. Real points are "
        "real images beside those of other subjects.",
    ),
}
_SHOWN = 8


class FigureData(NamedTuple):
    """What the figures show.

    Args:
        pairs: Images and their nearest real ones, by kind.
        closest: Synthetic images that look most like copies and the training
            images nearest to them; None where copies could not be searched
            for.
        histograms: Shares of each image's pixels by SUVR `[n, bins]`, by kind.
        spectra: Power spectra by kind.
        regions: Uptake by region.
    """

    pairs: dict[str, Pairs | None]
    closest: ClosestPairs | None
    histograms: dict[str, np.ndarray]
    spectra: dict[str, Spectrum]
    regions: RegionData


def save_figures(
    folder: Path, run: Run, data: FigureData
) -> dict[str, dict[str, str]]:
    """Draws every figure there is data for.

    Args:
        folder: Where they go.
        run: A finished run.
        data: What the figures show.

    Returns:
        Title and caption by file name, in the order of the page.
    """
    config = run.config
    _save_sheets(folder, data, config)
    _save_joint_histograms(folder / "histograms.png", data.pairs, config)
    save_intensities(folder / "intensities.png", data.histograms, config)
    save_spectra(folder / "spectrum.png", data.spectra, config)
    save_regions(folder / "regions.png", data.regions, config)
    save_agreement(folder / "agreement.png", data.regions, config)
    missing = set()
    if data.closest is None:
        missing.add("closest.png")
    if not save_training_curves(folder / "training.png", run):
        missing.add("training.png")
    words = {name: each for name, each in _WORDS.items() if name not in missing}
    if data.closest is not None:
        words["closest.png"] = save_closest(
            folder / "closest.png", data.closest, config
        )
    return {
        name: {"title": title, "caption": caption}
        for name, (title, caption) in words.items()
    }


def _save_sheets(folder: Path, data: FigureData, config: TrainConfig) -> None:
    """Rows of images; only those closest to a copy are selected.

    Real ones are spread evenly over all of them, synthetic ones are those of
    the first seeds. Differences are drawn on grey: darker where the synthetic
    image has less uptake.
    """
    pairs = data.pairs["synthetic"]
    images, real = pairs.images[:_SHOWN], pairs.real
    count = min(_SHOWN, len(real), len(images))
    nearest = real[pairs.partners["nearest"][:_SHOWN]]
    middle = config.suvr_max / 2
    difference = np.clip(middle + images - nearest, 0, config.suvr_max)
    sheets = {
        "real_and_synthetic.png": (
            "real and synthetic",
            [
                ("real, held out", real[evenly_spaced(len(real), count)]),
                ("synthetic", images[:count]),
            ],
        ),
        "nearest.png": (
            "synthetic and nearest held-out images",
            [
                ("synthetic", images),
                ("nearest real", nearest),
                ("difference", difference),
            ],
        ),
    }
    for name, (words, rows) in sheets.items():
        save_sheet(
            folder / name,
            rows,
            title=run_title(config, words),
            suvr_max=config.suvr_max,
            phantom=False,  # the title says it already
        )


_KINDS = {
    "real": "A real image and its nearest real one\nof another subject",
    "synthetic": "A synthetic image and its nearest real one",
}


def _save_joint_histograms(
    path: str | Path, pairs: dict[str, Pairs | None], config: TrainConfig
) -> None:
    """Joint histograms of a real and of a synthetic pair.

    Side by side as in Figure 9 of Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2. The pairs are those of median distance.
    """
    figure = Figure(figsize=(9.6, 7.0), layout="constrained", dpi=100)
    words = "joint histograms of pixel intensities"
    figure.suptitle(run_title(config, words))
    grid = figure.add_gridspec(2, 4, height_ratios=[1, 2.2])
    panels = []
    for kind, first in (("real", 0), ("synthetic", 2)):
        thumbnails = [figure.add_subplot(grid[0, first + i]) for i in (0, 1)]
        axes = figure.add_subplot(grid[1, first : first + 2])
        axes.set_title(_KINDS[kind], fontsize="medium")
        panels.append(axes)
        if pairs[kind] is None:
            words = "held-out images of\none subject only"
            axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes)
            for each in (axes, *thumbnails):
                each.axis("off")
        else:
            drawn = _draw_pair(axes, thumbnails, kind, pairs[kind], config)
    bar = figure.colorbar(drawn, ax=panels)
    bar.set_label("share of pixels")
    save(figure, path)


def _draw_pair(
    axes: Axes,
    thumbnails: list[Axes],
    kind: str,
    pairs: Pairs,
    config: TrainConfig,
) -> AxesImage:
    """The two images of a kind's typical pair above their histogram."""
    image, partner = pairs.typical()
    names = (f"{kind} image", "its nearest real image")
    suvr_max = config.suvr_max
    for place, shown, name in zip(
        thumbnails, (image, partner), names, strict=True
    ):
        place.imshow(shown, cmap="gray", vmin=0, vmax=suvr_max)
        place.set_title(name, fontsize="small")
        place.axis("off")
    axes.set_xlabel(f"SUVR of the {names[0]}")
    axes.set_ylabel(f"SUVR of {names[1]}")
    axes.plot([0, suvr_max], [0, suvr_max], color="crimson", linewidth=0.8)
    shares = joint_histogram(image, partner, suvr_max=suvr_max)
    return axes.imshow(
        np.ma.masked_equal(shares, 0).T,
        origin="lower",
        extent=(0, suvr_max, 0, suvr_max),
        # from one pixel to half of the image, the same in every figure
        norm=LogNorm(1 / image.size, 0.5),
        cmap="viridis",
        interpolation="nearest",
    )
