"""Three-plane figures of mean volumes and of the contrast, through nilearn.

nilearn is an extra, `volumes`: without it an evaluation has its numbers and
sheets, and says that these figures are missing.
"""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nibabel as nib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.plots import run_title, save
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.evaluation.volume_scores import VolumeScores
from pet_dcgan.references import SUVR_LABELS
from pet_dcgan.utils.volume_grid import affine_of

INSTALL = "pip install 'pet-dcgan[volumes]'"
# mm from the centre of the brain, where the cuts are: through the posterior
# cingulate and the parietal lobe
_CUTS_MM = (-3.5, -31.5, 24.5)
_WIDE, _ROW, _HEAD = 8.8, 2.5, 0.5  # inches
_REACH = 0.995  # quantile of absolute values that a difference's scale reaches
Words = dict[str, tuple[str, str]]


def missing_maps() -> str | None:
    """Why there are no three-plane figures; None where there are."""
    if importlib.util.find_spec("nilearn"):
        return None
    return f"three-plane figures, which need nilearn ({INSTALL})"


def save_volume_maps(
    folder: Path, images: VolumeImages, scores: VolumeScores
) -> Words:
    """Draws means of every stage, and the contrast.

    Args:
        folder: Where they go.
        images: The volumes.
        scores: What was found.

    Returns:
        Title and caption by file name; nothing without nilearn.
    """
    if missing_maps():
        return {}
    words = _means(folder, images)
    if scores.contrast is not None:
        words |= _contrast(folder, images, scores)
    return words


def _means(folder: Path, images: VolumeImages) -> Words:
    """The mean volume of each stage, synthetic below held-out real ones."""
    rows = {}
    for stage in images.stages:
        real = images.held_out(stage).images
        if len(real):
            rows[f"{stage}\nheld-out real"] = real.mean(axis=0)
        rows[f"{stage}\nsynthetic"] = images.synthetic(stage).mean(axis=0)
    label = SUVR_LABELS[images.config.reference]
    top = max(float(np.quantile(row, 0.999)) for row in rows.values())
    _draw(
        folder / "means.png",
        rows,
        images.config,
        "mean volumes",
        colours={"cmap": "inferno", "vmin": 0.0, "vmax": top},
        label=label,
    )
    return {
        "means.png": (
            "Mean volumes",
            "Means over held-out subjects and over synthetic volumes, in "
            f"three planes. {_where(images.config)} Means of few subjects are "
            "sharper than those of many.",
        )
    }


def _contrast(
    folder: Path, images: VolumeImages, scores: VolumeScores
) -> Words:
    """The model's mean difference above that of held-out subjects."""
    (first, last), *maps = scores.contrast
    names = "the model's", "held-out\nsubjects'"
    rows = {n: np.nan_to_num(m) for n, m in zip(names, maps, strict=True)}
    known = np.abs(np.concatenate([m[np.isfinite(m)] for m in maps]))
    reach = max(float(np.quantile(known, _REACH)), 1e-3)
    _draw(
        folder / "contrast.png",
        rows,
        images.config,
        f"mean {last} − {first}",
        colours={"cmap": "RdBu_r", "vmin": -reach, "vmax": reach},
        label=f"{last} − {first} in SUVR",
    )
    return {
        "contrast.png": (
            "The model's contrast",
            f"{last} less {first}, blue where uptake is lost: the mean over "
            "latents, above the difference of the means of held-out subjects, "
            "which holds chance and anatomy as well. Both on one scale that "
            f"is white at 0. {_where(images.config)} It is the model's "
            "contrast, never what becomes of a person.",
        )
    }


def _where(config: TrainConfig) -> str:
    """In which millimetres the cuts are."""
    if config.space == "native":
        return (
            "Coordinates are mm from each brain's own centre (to the right, "
            "to the front, upwards), not those of a template."
        )
    return f"Coordinates are mm in {config.space}."


def _draw(
    path: Path,
    rows: dict[str, np.ndarray],
    config: TrainConfig,
    words: str,
    *,
    colours: dict[str, Any],
    label: str,
) -> None:
    """Rows of three cuts, each volume with its label, and one colour bar."""
    # imported late: it takes seconds, and is an extra
    from nilearn.plotting import plot_img

    affine = affine_of(config.size, config.spacing_mm, config.space)
    middle = affine @ [*[config.size // 2] * 3, 1]
    high = _HEAD + _ROW * len(rows)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        figure = Figure(figsize=(_WIDE, high), dpi=100, facecolor="white")
        FigureCanvasAgg(figure)
        title = run_title(config, words)
        figure.text(0.5, 1 - 0.25 / high, title, ha="center", va="center")
        for number, (name, volume) in enumerate(rows.items()):
            bottom = 1 - (_HEAD + _ROW * (number + 1)) / high
            box = (0.13, bottom, 0.72, 0.97 * _ROW / high)
            with warnings.catch_warnings():
                # nilearn warns of what is none of the user's doing
                warnings.simplefilter("ignore")
                plot_img(
                    nib.Nifti1Image(volume.astype(np.float32), affine),
                    cut_coords=tuple(middle[:3] + _CUTS_MM),
                    figure=figure,
                    axes=box,
                    colorbar=False,
                    black_bg=False,
                    radiological=False,
                    **colours,
                )
            at = bottom + 0.5 * _ROW / high
            figure.text(0.07, at, name, ha="center", va="center")
        bar = figure.add_axes([0.875, 0.15, 0.018, 0.7])
        scale = Normalize(colours["vmin"], colours["vmax"])
        figure.colorbar(
            ScalarMappable(scale, colours["cmap"]), cax=bar, label=label
        )
    save(figure, path)
