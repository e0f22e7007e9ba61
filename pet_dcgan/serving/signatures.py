"""What a served generator can be asked, as TensorFlow functions."""

from collections.abc import Callable

import keras
import tensorflow as tf

from pet_dcgan.intensity import PNG_MAX
from pet_dcgan.sampling import network_images, suvr_from_images
from pet_dcgan.serving.latent import latents_from_seeds, sanitised
from pet_dcgan.serving.served import ModelFacts

# a third of the time of the default for 2 % more bytes
_PNG_COMPRESSION = 1


def serving_signatures(
    generator: keras.Model, facts: ModelFacts
) -> dict[str, Callable]:
    """Functions of one vector, with an entry for each image asked for.

    A request for more than `facts.max_rows` rows, or of another shape, is an
    error that says so, before anything is computed. No Python runs in them.

    Args:
        generator: `latent` to images in [-1, 1].
        facts: Of the model; `describe` gives them as JSON.

    Returns:
        By the names in `served.SIGNATURES`.
    """
    network = _network(generator)
    seed = tf.TensorSpec([None], tf.int64, name="seed")

    def image(latent):
        latent = _checked(latent, "latent", facts.max_rows)
        return {"image": network(sanitised(latent))}

    def slices(seed):
        seed = _checked(seed, "seed", facts.max_rows)
        latents = latents_from_seeds(seed, facts.latent_dim)
        return suvr_from_images(network(latents), facts.suvr_max)

    slices = _traced(slices, seed)

    def suvr(seed):
        return {"suvr": slices(seed)}

    def png(seed):
        scaled = slices(seed)[..., tf.newaxis] / facts.suvr_max * PNG_MAX
        pixels = tf.saturate_cast(tf.round(scaled), tf.uint16)
        encoded = tf.io.encode_png(pixels, compression=_PNG_COMPRESSION)
        return {"image_bytes": encoded}

    def describe(seed):
        seed = _checked(seed, "seed", facts.max_rows)
        return {"facts_bytes": tf.fill(tf.shape(seed), facts.to_json())}

    return {
        "serving_default": _traced(image, network.input_signature[0]),
        "generate": _traced(suvr, seed),
        "generate_png": _traced(png, seed),
        "describe": _traced(describe, seed),
    }


def _network(generator: keras.Model) -> Callable:
    """The generator as one function, which all signatures share."""
    width = generator.input_shape[-1]

    def network(latent):
        return network_images(generator, latent)

    latent = tf.TensorSpec([None, width], tf.float32, name="latent")
    return _traced(network, latent)


def _traced(function: Callable, spec: tf.TensorSpec) -> Callable:
    return tf.function(function, input_signature=[spec], autograph=False)


def _checked(tensor: tf.Tensor, name: str, max_rows: int) -> tf.Tensor:
    """The tensor, once its shape is known to be what the signature says.

    A server feeds whatever it was sent. The shape of the signature is taken
    off first, since TensorFlow would trust it and leave the check out.
    """
    row = tensor.shape.as_list()[1:]
    fed = tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=None)
    shape = tf.shape(fed)
    fits = tf.raw_ops.Equal(x=shape[1:], y=row, incompatible_shape_error=False)
    right = tf.reduce_all(fits) & tf.reduce_all(shape[:1] <= max_rows)
    lengths = "".join(f", {length}" for length in row)
    words = (
        f"expected {name} of the shape [n{lengths}] with n of at most "
        f"{max_rows}, found the shape"
    )
    check = tf.raw_ops.Assert(
        condition=right & tf.equal(tf.size(shape), len(row) + 1),
        data=[words, shape],
    )
    with tf.control_dependencies([check]):
        return tf.identity(tensor)
