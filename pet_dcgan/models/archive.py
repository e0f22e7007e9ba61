"""A generator as the archive that a model server loads.

`DCGAN.export` and `pet_dcgan.export` write it, and `pet_dcgan.generate` draws
from one where it is given a network.
"""

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan import __version__
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.cpu_layers import is_plain
from pet_dcgan.models.graph_check import foreign_parts
from pet_dcgan.models.model_info import GRAPH_FILE, OWN, ModelInfo
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.sampling import latents_from_seeds
from pet_dcgan.models.saved_model import (
    COMPARED_SEEDS,
    TOLERANCE,
    all_layers,
    compare_model,
    save_model,
)
from pet_dcgan.models.warmup import write_warmup
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.keras_settings import keras_defaults

_ARCHIVE = "tf_saved_model"
_NEAR = 0.25


def write_archive(network: keras.Model, folder: Path, info: ModelInfo) -> None:
    """Writes a version's folder: the model, its facts, warm-up requests.

    The model was loaded again and gave the live network's images, and
    `generate` will not refuse it. The same network and facts give the same
    bytes.

    Args:
        network: Latents to images, in float32, from `generator_of`.
        folder: Folder to make.
        info: Of the model.

    Raises:
        ValueError: If the network cannot be exported faithfully, or has a
            layer that does more than compute on tensors.
    """
    # the comparison is meant for one kind of arithmetic, the CPU's
    with tf.device("CPU:0"):
        _require_range(network)
        _save(network, folder, info)
        if foreign := foreign_parts(folder / GRAPH_FILE):
            raise ValueError(
                "expected layers that compute on tensors alone, the same for "
                f"the same latents, found {one_line(', '.join(foreign))} in "
                "the generator's graph: replace the layers that make them"
            )
        compare_model(network, folder, info)
    info.write(folder)
    write_warmup(folder, info)


def _require_range(network: keras.Model) -> None:
    """Refuses a network whose images leave the scale of a generator."""
    low, high = _extent(network)
    # NaN is for the weights to explain
    if low < -1 - TOLERANCE or high > 1 + TOLERANCE:
        raise _off_scale("images in [-1, 1]", low, high)


def _require_background(network: keras.Model) -> None:
    """Refuses a network of images in [0, 1], as a sigmoid makes them."""
    low, high = _extent(network)
    # before its training a network that ends in tanh is near 0
    if low >= 0 and high > _NEAR:
        raise _off_scale("images whose background is -1", low, high)


def _extent(network: keras.Model) -> tuple[float, float]:
    """The smallest and the largest value of a few images."""
    seeds = tf.constant(COMPARED_SEEDS, tf.int64)
    latents = latents_from_seeds(seeds, network.input_shape[-1])
    images = keras.ops.convert_to_numpy(network(latents, training=False))
    return float(images.min()), float(images.max())


def _off_scale(wanted: str, low: float, high: float) -> ValueError:
    """The error for images on another scale."""
    return ValueError(
        f"expected {wanted}, where -1 is SUVR 0, found values from {low:.3g} "
        f"to {high:.3g}: end the generator in tanh, and train it on images of "
        "that scale (pet_dcgan.scale_to_model)"
    )


def _save(network: keras.Model, folder: Path, info: ModelInfo) -> None:
    """Saves, with whatever a network of one's own raises in one line."""
    try:
        save_model(network, folder, info)
    except (OSError, tf.errors.OpError):  # a full disk
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(error).isprintable():
            raise
        raise ValueError(
            "expected a generator that TensorFlow can trace and save, found "
            f"one that fails with {type(error).__name__} "
            f"({one_line(error, most=200)}): see its layers' call"
        ) from error


@keras_defaults()
def generator_of(model: Any) -> keras.Model:
    """The network that a model's images come from, in float32.

    Args:
        model: A generator, or what has one as its `sampler_network`, as
            `DCGAN`.

    Returns:
        `[n, latent_dim]` to `[n, size, size, channels]`. A network of our
        layers for a CPU, or of another precision, is copied.

    Raises:
        ValueError: If it is another kind of network, or of layers that cannot
            be rebuilt in float32.
    """
    network = getattr(model, "sampler_network", model)
    try:
        latent, image = network.input_shape, network.output_shape
        list(all_layers(network))
        fits = len(latent) == 2 and len(image) == 4 and image[1] == image[2]
        # lists of shapes, or sides that are not fixed
        fits = fits and all(type(n) is int for n in (*latent[1:], *image[1:]))
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            "expected a Keras generator or a DCGAN, found "
            f"{type(network).__name__} without a fixed shape of its images: "
            "wrap it as keras.Model(latent, generator(latent)) with latent = "
            "keras.Input([latent_dim]); load a file with "
            "keras.saving.load_model, and open a run with pet_dcgan.Run.open"
        ) from None
    if not fits or image[3] not in (1, 3):
        raise ValueError(
            "expected a generator of latents [n, latent_dim] to images "
            f"[n, size, size, 1 or 3], found {latent} to {image}"
        )
    if all(map(is_plain, all_layers(network))):
        return network
    return _plain_copy(network)


def _plain_copy(network: keras.Model) -> keras.Model:
    """A copy of Keras's own layers in float32."""
    try:
        return float32_copy(network)
    except Exception as error:
        raise ValueError(
            "expected a float32 generator, or one that can be rebuilt in "
            f"float32, found {type(error).__name__} "
            f'({one_line(error, most=200)}): build it with dtype="float32" '
            "and copy the weights"
        ) from error


def model_info(
    network: keras.Model, facts: ImageFacts, *, preset: str = OWN
) -> ModelInfo:
    """What a model says of itself.

    Args:
        network: From `generator_of`.
        facts: What its images mean.
        preset: Preset that the training started from.

    Raises:
        ValueError: If the network is too large or too small.
    """
    _, size, _, channels = network.output_shape
    return ModelInfo(
        stage=facts.stage,
        plane=facts.plane,
        size=size,
        channels=channels,
        latent_dim=network.input_shape[-1],
        spacing_mm=facts.spacing_mm,
        suvr_max=facts.suvr_max,
        reference=facts.reference,
        preset=preset,
        phantom=facts.phantom,
        made_by=f"pet-dcgan {__version__}",
    )


_EXAMPLE = (
    'facts=pet_dcgan.ImageFacts(stage="AD", plane="axial", spacing_mm=1.5, '
    "suvr_max=2.5, phantom=False)"
)


def described(
    model: Any, facts: ImageFacts | None = None
) -> tuple[keras.Model, ModelInfo]:
    """A model that no run holds, as an archive needs it.

    Args:
        model: A generator, or a `DCGAN`, which may know its `facts`.
        facts: What its images mean, where it does not know.

    Returns:
        The network of `generator_of`, and what it says of itself.

    Raises:
        ValueError: If it is no generator, its images have another scale, or
            there are no facts, or two that differ.
    """
    network = generator_of(model)
    info = model_info(network, _facts_of(model, facts))
    _require_background(network)
    return network, info


def _facts_of(model: Any, given: ImageFacts | None) -> ImageFacts:
    """The facts of a model's images: its own, or those given."""
    own = getattr(model, "facts", None)
    own = own if isinstance(own, ImageFacts) else None
    if given is not None and not isinstance(given, ImageFacts):
        raise ValueError(
            f"expected facts as pet_dcgan.ImageFacts, found {one_line(given)}: "
            f"write {_EXAMPLE}"
        )
    if own is None and given is None:
        raise ValueError(
            "expected facts of the generator's images, found none: write "
            f"{_EXAMPLE} with your own values"
        )
    if own is not None and given not in (None, own):
        raise ValueError(
            f"expected the model's own facts {own}, found {given}: leave out "
            "facts=, or set model.facts"
        )
    return own or given


def export_model(
    model: keras.Model,
    path: str | Path,
    *,
    format: str = _ARCHIVE,  # noqa: A002
    facts: ImageFacts | None = None,
    verbose: bool | None = None,
    **options: Any,
) -> None:
    """Writes the archive of a model, or another format of Keras.

    Args:
        model: A `DCGAN`, or a generator.
        path: Folder of the archive, or file of another format.
        format: `"tf_saved_model"`, or another one of Keras.
        facts: What the images mean, where the model has no facts.
        verbose: Whether to print a line; by default yes, as Keras.
        **options: For another format, as of `keras.Model.export`.

    Raises:
        FileExistsError: If `path` holds anything.
        ValueError: If there are no facts, an option is of another format, or
            the generator cannot be exported faithfully.
    """
    if format != _ARCHIVE:
        network = generator_of(model)
        _require_range(network)  # Keras also wants one that was called
        network.export(path, format=format, verbose=verbose, **options)
        return
    if options := [name for name, v in options.items() if v is not None]:
        raise ValueError(
            f"expected no {', '.join(options)} with format {_ARCHIVE}: the "
            "archive has signatures of its own, see pet_dcgan.DCGAN.export"
        )
    network, info = described(model, facts)
    path = Path(os.path.abspath(path))
    if path.is_symlink() or (
        path.exists() and (not path.is_dir() or any(path.iterdir()))
    ):
        raise FileExistsError(
            f"expected a new or an empty folder, found something in {path}: "
            "choose another"
        )
    with replacing(path) as folder:
        write_archive(network, folder, info)
    if verbose or verbose is None:
        print(f"{path}: exported, and verified against the generator")
