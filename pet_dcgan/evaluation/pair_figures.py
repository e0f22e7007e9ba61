"""Pictures of an evaluation, without pyplot's global state."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.pairs import Pairs
from pet_dcgan.figures import save_sheet
from pet_dcgan.files import replacing
from pet_dcgan.metrics.histogram import joint_histogram

_SHOWN = 8
_MISSING = "held-out images of\none subject only"
_KINDS = {
    "real": "A real image and its nearest real one\nof another subject",
    "synthetic": "A synthetic image and its nearest real one",
}


def save_histograms(
    path: str | Path, pairs: dict[str, Pairs | None], config: TrainConfig
) -> None:
    """Joint histograms of a real and of a synthetic image's typical pair.

    The kinds stand side by side as in Figure 9 of Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2. Which pair is shown is not chosen by eye: it
    is the one of median distance.

    Args:
        path: PNG to write.
        pairs: Pairs of `"real"` (None where there are none) and
            `"synthetic"` images.
        config: The run's configuration.
    """
    figure = Figure(figsize=(9.6, 7.0), layout="constrained", dpi=100)
    figure.suptitle(_title(config, "joint histograms of pixel intensities"))
    grid = figure.add_gridspec(2, 4, height_ratios=[1, 2.2])
    panels = []
    for kind, first in (("real", 0), ("synthetic", 2)):
        thumbnails = [figure.add_subplot(grid[0, first + i]) for i in (0, 1)]
        axes = figure.add_subplot(grid[1, first : first + 2])
        axes.set_title(_KINDS[kind], fontsize="medium")
        panels.append(axes)
        drawn = _draw_kind(axes, thumbnails, kind, pairs[kind], config)
    bar = figure.colorbar(drawn, ax=panels)
    bar.set_label("share of pixels")
    with replacing(path) as temporary:
        # no version of matplotlib and no date in the file
        figure.savefig(temporary, format="png", metadata={"Software": None})


def save_real_and_synthetic(
    path: str | Path, pairs: Pairs, config: TrainConfig
) -> None:
    """A sheet of held-out real slices above synthetic ones.

    Real ones are spread evenly over all of them; synthetic ones are those of
    the first seeds. Neither is chosen by eye.

    Args:
        path: PNG to write.
        pairs: Synthetic images and the real ones.
        config: The run's.
    """
    count = min(_SHOWN, len(pairs.real), len(pairs.images))
    spread = np.linspace(0, len(pairs.real) - 1, count).round().astype(int)
    rows = [
        ("real, held out", pairs.real[spread]),
        ("synthetic", pairs.images[:count]),
    ]
    save_sheet(
        path,
        rows,
        title=_name(config, "real and synthetic"),
        suvr_max=config.suvr_max,
        phantom=config.phantom,
    )


def _draw_kind(
    axes: Axes,
    thumbnails: list[Axes],
    kind: str,
    pairs: Pairs | None,
    config: TrainConfig,
) -> AxesImage | None:
    """The two images of a kind's typical pair above their histogram."""
    if pairs is None:
        axes.text(0.5, 0.5, _MISSING, ha="center", transform=axes.transAxes)
        for each in (axes, *thumbnails):
            each.axis("off")
        return None
    image, partner = pairs.typical()
    names = (f"{kind} image", "its nearest real image")
    _draw_slice(thumbnails[0], image, names[0], config.suvr_max)
    _draw_slice(thumbnails[1], partner, names[1], config.suvr_max)
    axes.set_xlabel(f"SUVR of the {names[0]}")
    axes.set_ylabel(f"SUVR of {names[1]}")
    return _draw_histogram(axes, image, partner, config.suvr_max)


def _draw_histogram(
    axes: Axes, image: np.ndarray, partner: np.ndarray, suvr_max: float
) -> AxesImage:
    shares = joint_histogram(image, partner, suvr_max=suvr_max)
    axes.plot([0, suvr_max], [0, suvr_max], color="crimson", linewidth=0.8)
    return axes.imshow(
        np.ma.masked_equal(shares, 0).T,
        origin="lower",
        extent=(0, suvr_max, 0, suvr_max),
        # from one pixel to half of the image, in every figure alike
        norm=LogNorm(1 / image.size, 0.5),
        cmap="viridis",
        interpolation="nearest",
    )


def _draw_slice(
    axes: Axes, image: np.ndarray, name: str, suvr_max: float
) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=suvr_max)
    axes.set_title(name, fontsize="small")
    axes.axis("off")


def _title(config: TrainConfig, words: str) -> str:
    return _name(config, words) + (" (phantom)" if config.phantom else "")


def _name(config: TrainConfig, words: str) -> str:
    return f"{config.stage} {config.plane}, {config.preset}: {words}"
