"""Images of a generator in one call, for whoever has just trained it."""

from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes

from pet_dcgan.data.real_images import (
    first_images,
    in_unit_scale,
    require_model_scale,
)
from pet_dcgan.data.slices import Slices
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.gan import GAN
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.plotting import Rows, grey_scale, sheet_title, show_sheet
from pet_dcgan.runs.run import Run

COLUMNS = 8
VOLUMES = 4  # in a row, three cuts of each


def plot_samples(
    model: GAN | keras.Model | Run,
    *,
    count: int = 16,
    seed: int = 0,
    real: Any = None,
    facts: ImageFacts | None = None,
    suvr_max: float | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draws the images of the first seeds, none of them chosen by eye.

    Of volumes, an axial, a coronal and a sagittal cut are drawn side by side,
    see `pet_dcgan.metrics.cuts`. Black is SUVR 0 and white `suvr_max`. Where
    neither facts nor `suvr_max` are known, the colour bar says that values are
    shares of the largest uptake.

    Args:
        model: A `DCGAN`, of which the average is drawn if it keeps one, a
            generator, or a finished `Run`.
        count: Number of images, at least 1.
        seed: The first image's seed; the others follow.
        real: Real images for a row above, as `DCGAN.fit` takes them; up to 8
            (4 volumes), of `Slices` and arrays spread evenly over all.
        facts: What the images mean, if the model has no facts of its own.
        suvr_max: SUVR of white, for a generator without facts.
        axes: Axes to draw into; those of a new figure by default.

    Returns:
        The axes; `axes.figure.savefig` saves them.

    Raises:
        FileNotFoundError: If the run is not finished.
        ValueError: If it is no generator, an image is not finite, or real
            images have another size or scale.

    Example:
    >>> import matplotlib
    >>> from pet_dcgan.models.networks import build_generator
    >>> matplotlib.use("agg")
    >>> generator = build_generator(size=32, channels=1, width=4)
    >>> plot_samples(generator, suvr_max=2.5).get_images()[0].get_clim()
    (0.0, 2.5)
    """
    if count < 1:
        raise ValueError(f"expected count of 1 or more, found {count}")
    network, known = _network(model)
    facts = facts or known
    white, label = grey_scale(facts, suvr_max)
    seeds = seed + np.arange(count)
    images = synthetic_slices(network, seeds, suvr_max=white)
    rows, words = _rows(images, seed), "synthetic"
    if real is not None:
        own = isinstance(real, Slices) and (facts or suvr_max)
        scale = real.meta.suvr_max if own else white
        shown = _real(real, min(count, _columns(images)), scale)
        rows, words = [("real", shown), *rows], "real above synthetic"
    return show_sheet(
        rows,
        title=sheet_title(facts, words),
        suvr_max=white,
        label=label,
        axes=axes,
    )


def _network(model: Any) -> tuple[keras.Model, ImageFacts | None]:
    """The generator, and what is known of its images."""
    if isinstance(model, Run):
        return model.load_generator(), ImageFacts.of(model.config)
    if isinstance(model, GAN):
        return model.sampler_network, model.facts
    if not isinstance(model, keras.Model):
        raise ValueError(
            "expected a DCGAN, a generator or a Run, found "
            f"{type(model).__name__}: open a run's folder with Run.open"
        )
    shapes = model.input_shape, model.output_shape
    if [len(shape) for shape in shapes] != [2, 4]:
        raise ValueError(
            "expected a generator from [n, latent_dim] to [n, size, size, "
            f"channels], found a model from {shapes[0]} to {shapes[1]}"
        )
    return model, None


def _columns(images: np.ndarray) -> int:
    """Images, or volumes, in a row."""
    return VOLUMES if images.ndim == 4 else COLUMNS


def _rows(images: np.ndarray, seed: int) -> Rows:
    """Rows of images, labelled with their seeds."""
    rows, columns = [], _columns(images)
    for start in range(0, len(images), columns):
        row = images[start : start + columns]
        first, last = seed + start, seed + start + len(row) - 1
        name = f"seeds {first} to {last}" if len(row) > 1 else f"seed {first}"
        rows.append((name, row))
    return rows


def _real(real: Any, count: int, suvr_max: float) -> np.ndarray:
    """A row of real images, on the scale of the synthetic ones."""
    images = first_images(real, most=count)[:count]
    if not len(images):
        raise ValueError(
            "expected real images that can be looked at, found none: give an "
            "array, Slices or a tf.data.Dataset"
        )
    require_model_scale(images)
    return in_unit_scale(images) * suvr_max
