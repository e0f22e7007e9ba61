"""The figure of a study's contrast: real and synthetic maps by level."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pet_dcgan.evaluation.plots import save
from pet_dcgan.metrics.regions import asymmetry_names

_KINDS = (("real", "held-out real"), ("synthetic", "synthetic"))
_LABELS = {"t": "Welch's t", "difference": "difference in SUVR"}


class ContrastMaps(NamedTuple):
    """Maps over all splits, for the figure.

    Args:
        stages: The two stages; positive is more in the second.
        edges: Of the levels in mm `[levels + 1]`.
        maps: Mean over splits `[levels, size, size]` by (`"t"` or
            `"difference"`, `"real"` or `"synthetic"`), NaN outside the brain.
            Synthetic t is scaled to as many images as there are subjects.
    """

    stages: tuple[str, str]
    edges: np.ndarray
    maps: dict[tuple[str, str], np.ndarray]


def save_contrast(
    path: str | Path, drawn: ContrastMaps, *, plane: str, title: str
) -> None:
    """Real and synthetic maps level by level, each pair on one scale.

    Args:
        path: PNG to write.
        drawn: From `study_contrast`.
        plane: Of the slices; the ends of their columns are marked.
        title: What the study is of, and whether of phantoms.
    """
    figure = Figure(figsize=(8.0, 10.4), layout="constrained", dpi=100)
    figure.suptitle(f"{title}\n{drawn.stages[1]} minus {drawn.stages[0]}")
    axes = figure.subplots(2 * len(_KINDS), len(drawn.edges) - 1, squeeze=False)
    for first, name in ((0, "t"), (2, "difference")):
        both = np.stack([drawn.maps[name, kind] for kind, _ in _KINDS])
        known = np.abs(both[np.isfinite(both)])
        reach = float(np.quantile(known, 0.99)) if known.size else 1.0
        for row in (first, first + 1):
            kind, label = _KINDS[row - first]
            axes[row, 0].set_ylabel(label)
            for place, values in zip(
                axes[row], drawn.maps[name, kind], strict=True
            ):
                image = _draw_map(place, values, reach, plane)
        bar = figure.colorbar(image, ax=axes[first : first + 2], shrink=0.7)
        bar.set_label(_LABELS[name])
    for level, place in enumerate(axes[0]):
        low, high = drawn.edges[level : level + 2]
        place.set_title(f"{low:.0f} to {high:.0f} mm".replace("-", "−"))
    save(figure, path)


def _draw_map(
    axes: Axes, values: np.ndarray, reach: float, plane: str
) -> AxesImage:
    """One map, white at 0 and outside the brain, its sides marked."""
    drawn = axes.imshow(values, cmap="RdBu_r", vmin=-reach, vmax=reach)
    axes.set_xticks([])
    axes.set_yticks([])
    marks = "LR" if asymmetry_names(plane) else "FB"
    for mark, x in zip(marks, (0.03, 0.97), strict=True):
        side = "left" if x < 0.5 else "right"
        style = {"ha": side, "va": "center", "fontsize": "small"}
        axes.text(x, 0.5, mark, transform=axes.transAxes, **style)
    return drawn
