"""A generator as a TensorFlow SavedModel with named signatures."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.intensity import PNG_MAX, png_from_suvr
from pet_dcgan.sampling import network_images, suvr_from_latents
from pet_dcgan.serving.latent import latents_from_seeds

TOLERANCE = 1e-5
_COMPARED_SEEDS = (0, 1, 2**40)


def save_archive(
    generator: keras.Model, folder: str | Path, *, suvr_max: float
) -> None:
    """Writes a SavedModel that needs neither Keras nor this package.

    Signatures, each taking a vector with one entry an image:

    *   `serving_default`: `latent` float32 `[n, latent_dim]` to `image`
        float32 `[n, size, size, channels]` in [-1, 1].
    *   `generate`: `seed` int64 `[n]` to `suvr` float32 `[n, size, size]`.
    *   `generate_png`: `seed` int64 `[n]` to `image_bytes` string `[n]`, PNGs
        of 16 bits whose value / 65535 * `suvr_max` is the SUVR.

    Weights are stored once, batch normalisation is in inference mode, and
    randomness is a function of the seed inside the graph.

    Args:
        generator: float32 generator with finite weights.
        folder: Folder to make.
        suvr_max: SUVR that the network's +1 stands for.

    Raises:
        ValueError: If a weight is not finite or a layer not float32.
    """
    _require_exportable(generator)
    module = tf.Module(name="generator")
    # what is not an attribute of the module is not stored
    module.weights = [variable.value for variable in generator.variables]
    functions = _signatures(generator, suvr_max)
    tf.saved_model.save(module, str(folder), signatures=functions)


def compare_archive(
    generator: keras.Model, folder: str | Path, *, suvr_max: float
) -> float:
    """Reloads a SavedModel and compares it with the live generator.

    Args:
        generator: The generator that was saved.
        folder: The SavedModel.
        suvr_max: SUVR that the network's +1 stands for.

    Returns:
        Largest difference of `image` and `suvr`.

    Raises:
        ValueError: If it is above `TOLERANCE`, or a PNG is more than one of
            its 65535 steps away.
    """
    loaded = tf.saved_model.load(str(folder))
    call = loaded.signatures
    seeds = tf.constant(_COMPARED_SEEDS, tf.int64)
    latents = latents_from_seeds(seeds, generator.input_shape[-1])
    image = call["serving_default"](latent=latents)["image"]
    suvr = call["generate"](seed=seeds)["suvr"]
    encoded = call["generate_png"](seed=seeds)["image_bytes"]
    live = suvr_from_latents(generator, latents, suvr_max).numpy()
    stored = png_from_suvr(live, suvr_max)
    difference = max(
        _largest(image, network_images(generator, latents)),
        _largest(suvr, live),
    )
    steps = max(
        _largest(tf.io.decode_png(png, dtype=tf.uint16)[..., 0], expected)
        for png, expected in zip(encoded, stored, strict=True)
    )
    if not (difference <= TOLERANCE and steps <= 1):
        raise ValueError(
            "expected the exported model to give the live generator's images "
            f"(to {TOLERANCE:g}, PNG to 1 step), found differences of "
            f"{difference:.3g} and {steps:g} steps: nothing was exported"
        )
    return difference


def _signatures(generator: keras.Model, suvr_max: float) -> dict[str, Callable]:
    latent_dim = generator.input_shape[-1]

    def image(latent):
        return {"image": network_images(generator, latent)}

    def suvr(seed):
        latents = latents_from_seeds(seed, latent_dim)
        return {"suvr": suvr_from_latents(generator, latents, suvr_max)}

    def png(seed):
        scaled = suvr(seed)["suvr"][..., tf.newaxis] / suvr_max * PNG_MAX
        pixels = tf.saturate_cast(tf.round(scaled), tf.uint16)
        return {"image_bytes": tf.io.encode_png(pixels, compression=1)}

    latent = tf.TensorSpec([None, latent_dim], tf.float32, name="latent")
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    return {
        "serving_default": _traced(image, latent),
        "generate": _traced(suvr, seed),
        "generate_png": _traced(png, seed),
    }


def _traced(function: Callable, spec: tf.TensorSpec) -> Callable:
    return tf.function(function, input_signature=[spec], autograph=False)


def _require_exportable(generator: keras.Model) -> None:
    for layer in generator.layers:
        if layer.compute_dtype != "float32":
            raise ValueError(
                "expected a float32 generator, found layer "
                f"{layer.name} in {layer.compute_dtype}: rebuild it in "
                "float32 and copy the weights"
            )
    for variable in generator.variables:
        if not np.isfinite(variable.numpy()).all():
            raise ValueError(
                "expected finite weights, found NaN or infinity in "
                f"{variable.path}: the training diverged, train again"
            )


def _largest(found: tf.Tensor, expected: np.ndarray) -> float:
    """Largest absolute difference; infinite where a value is not finite."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or not np.isfinite(found).all():
        return np.inf
    difference = found.astype(np.float64) - expected.astype(np.float64)
    return float(np.abs(difference).max())
