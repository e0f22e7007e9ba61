"""A generator of any origin: its network in float32, and what it says."""

from typing import Any

import keras
import tensorflow as tf

from pet_dcgan import __version__
from pet_dcgan.config import OWN, VOLUME
from pet_dcgan.image_facts import ImageFacts, is_volume
from pet_dcgan.models.condition_rows import as_inputs, example_rows
from pet_dcgan.models.conditioned import conditions_of, latent_length
from pet_dcgan.models.cpu_layers import is_plain
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.sampling import latents_from_seeds
from pet_dcgan.models.saved_model import COMPARED_SEEDS, TOLERANCE, all_layers
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.seed_blocks import volume_rows

_NEAR = 0.25  # of images before a training
_EXAMPLE = (
    'facts=pet_dcgan.ImageFacts(stage="AD", plane="axial", spacing_mm=1.5, '
    "suvr_max=2.5, phantom=False)"
)


@keras_defaults()
def generator_of(model: Any) -> keras.Model:
    """The network that a model's images come from, in float32.

    Args:
        model: A generator, or what has one as its `sampler_network`, as
            `DCGAN`.

    Returns:
        `[n, latent_dim]` to `[n, size, size, channels]`, or to volumes
        `[n, size, size, size]`; of a conditional network a dictionary of
        `latent` and its conditions. A network of our layers for a CPU, or of
        another precision, is copied.

    Raises:
        ValueError: If it is another kind of network, or of layers that cannot
            be rebuilt in float32.
    """
    network = getattr(model, "sampler_network", model)
    try:
        latent, image = _latent_shape(network), network.output_shape
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
    if not fits or image[3] not in (1, 3, image[1]):
        raise ValueError(
            "expected a generator of latents [n, latent_dim] to images "
            "[n, size, size, 1 or 3], or to volumes [n, size, size, size], "
            f"found {latent} to {image}"
        )
    if all(map(is_plain, all_layers(network))):
        return network
    return _plain_copy(network)


def _latent_shape(network: Any) -> tuple:
    """Shape of the latents, also of a conditional network."""
    conditions = conditions_of(network)
    if conditions is None:
        return network.input_shape
    given = {name: tensor.shape for name, tensor in network.input.items()}
    latent = given.pop("latent", ())
    widths = {name: (None, n) for name, n in conditions.inputs.items()}
    if given != widths:
        raise ValueError("other conditions than its layer has")
    return latent


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
        ValueError: If the network is too large or too small, or the facts
            are of slices and the network of volumes, or the other way round.
    """
    _, size, _, channels = network.output_shape
    volumes = _require_kind(network, facts)
    conditions = conditions_of(network)
    return ModelInfo(
        stage=facts.stage,
        plane=facts.plane,
        size=size,
        channels=channels,
        latent_dim=latent_length(network),
        spacing_mm=facts.spacing_mm,
        suvr_max=facts.suvr_max,
        reference=facts.reference,
        preset=preset,
        phantom=facts.phantom,
        made_by=f"pet-dcgan {__version__}",
        conditions=None if conditions is None else conditions.to_dict(),
        space=facts.space,
        **({"max_rows": volume_rows(size)} if volumes else {}),
    )


def _require_kind(network: keras.Model, facts: ImageFacts) -> bool:
    """Whether a network and its facts are of volumes; refuses a difference."""
    volumes = is_volume(network.output_shape)
    if volumes != (facts.plane == VOLUME):
        kind = "volumes" if volumes else "slices"
        wanted = f'plane="{VOLUME}"' if volumes else "the plane of its slices"
        raise ValueError(
            f"expected {wanted} in the facts of a generator of {kind}, found "
            f'plane="{facts.plane}": correct the facts'
        )
    return volumes


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


def require_range(network: keras.Model) -> None:
    """Refuses a network whose images leave the scale of a generator.

    Args:
        network: From `generator_of`.

    Raises:
        ValueError: If a value of a few images is not in [-1, 1].
    """
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
    given = latents = latents_from_seeds(seeds, latent_length(network))
    conditions = conditions_of(network)
    if conditions is not None:
        rows = example_rows(conditions)[: len(seeds)]
        inputs = as_inputs(conditions, rows).items()
        asked = {name: tf.constant(values) for name, values in inputs}
        given = {"latent": latents} | asked
    images = keras.ops.convert_to_numpy(network(given, training=False))
    return float(images.min()), float(images.max())


def _off_scale(wanted: str, low: float, high: float) -> ValueError:
    """The error for images on another scale."""
    return ValueError(
        f"expected {wanted}, where -1 is SUVR 0, found values from {low:.3g} "
        f"to {high:.3g}: end the generator in tanh, and train it on images of "
        "that scale (pet_dcgan.scale_to_model)"
    )
