"""A generator as a TensorFlow SavedModel, and its signatures."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.condition_rows import (
    as_columns,
    as_inputs,
    example_rows,
)
from pet_dcgan.models.conditional_signatures import (
    conditional_network,
    conditional_signatures,
)
from pet_dcgan.models.conditioned import conditions_of, latent_length
from pet_dcgan.models.folded import folded
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.png_notes import png_notes
from pet_dcgan.models.same_bytes import remove_chance
from pet_dcgan.models.sampling import (
    latents_from_seeds,
    sanitised,
    suvr_from_images,
)
from pet_dcgan.models.signature_parts import checked, png_bytes, traced
from pet_dcgan.models.volume_views import views
from pet_dcgan.utils.png import text_chunk

TOLERANCE = 1e-5  # of an exported model's images in [-1, 1] and in SUVR
COMPARED_SEEDS = (0, 1, 2**40)


def _network(generator: keras.Model) -> Callable:
    """Returns the function of latents that all signatures share, traced."""
    conditions = conditions_of(generator)
    if conditions is not None:
        return conditional_network(generator, conditions)
    latent = tf.TensorSpec(
        [None, latent_length(generator)], tf.float32, name="latent"
    )

    def network(latent):
        return generator(latent, training=False)

    return traced(network, latent)


def _signatures(network: Callable, facts: ModelInfo) -> dict[str, Callable]:
    """Returns the functions that `save_model` describes, traced.

    A request of another shape, or for too many rows, fails with an error that
    says so before anything is computed. No Python runs in them.
    """
    if facts.takes is not None:
        return conditional_signatures(network, facts)
    (latent,) = network.input_signature
    seed = tf.TensorSpec([None], tf.int64, name="seed")

    def image(latent):
        latent = checked(latent, "latent", facts.max_rows)
        return {"image": network(sanitised(latent))}

    def images(seed):
        seed = checked(seed, "seed", facts.max_rows)
        latents = latents_from_seeds(seed, facts.latent_dim)
        return suvr_from_images(network(latents), facts.suvr_max)

    images = traced(images, seed)

    def suvr(seed):
        return {"suvr": images(seed)}

    def encoded(view):
        def png(seed):
            notes = png_notes(facts).items()
            text = b"".join(text_chunk(*note) for note in notes)
            pictures = view(images(seed))
            return {"image_bytes": png_bytes(pictures, facts.suvr_max, text)}

        return traced(png, seed)

    def describe(seed):
        seed = checked(seed, "seed", facts.max_rows)
        return {"facts_bytes": tf.fill(tf.shape(seed), facts.to_json())}

    return {
        "serving_default": traced(image, latent),
        "generate": traced(suvr, seed),
        **{name: encoded(view) for name, view in views(facts).items()},
        "describe": traced(describe, seed),
    }


def all_layers(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers of a network and of the networks inside it.

    Args:
        network: Any model.
    """
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)


def save_model(
    generator: keras.Model, folder: str | Path, facts: ModelInfo
) -> None:
    """Writes a SavedModel that needs neither Keras nor this package.

    Signatures, each taking a vector with one entry an image and at most
    `facts.max_rows`:

    *   `serving_default`: `latent` float32 `[n, latent_dim]` to `image`
        float32 `[n, size, size, channels]` in [-1, 1]. Of a latent vector,
        what is not finite counts as 0 and the rest is clipped to [-1, 1].
    *   `generate`: `seed` int64 `[n]` to `suvr` float32 `[n, size, size]`, or
        volumes `[n, size, size, size]`.
    *   `generate_png`: `seed` int64 `[n]` to `image_bytes` string `[n]`, PNGs
        of 16 bits whose value / 65535 * `facts.suvr_max` is the SUVR.
    *   `generate_voxels`, of volumes alone: every voxel in such a PNG, where
        `generate_png` has three cuts, see `volume_views`.
    *   `describe`: `seed` int64 `[n]` to `facts_bytes` string `[n]`, the JSON
        of `facts` in each row.

    Those of a conditional model take conditions as well, those of
    `facts.takes`: `stage` float32 `[n, 3]`, `plane` string `[n]`,
    `position_mm` float32 `[n]`, `age` float32 `[n]` and `sex` string `[n]`.
    All but `describe` have a second output, `status` string `[n]`: empty, or
    why the row is refused, whose image is NaN, or an empty PNG. The latent is
    a function of the seed alone, whatever is asked for. Its normalisations
    are part of its modulations, see `folded`.

    Weights are stored once, batch normalisation is in inference mode, and
    randomness is a function of the seed inside the graph. A PNG has the notes
    of `png_notes`. The same weights and facts give the same bytes.

    Args:
        generator: float32 generator with finite weights.
        folder: Folder to make.
        facts: Of the model.

    Raises:
        ValueError: If a weight is not finite or a layer not float32.
    """
    for layer in all_layers(generator):
        if layer.compute_dtype != "float32":
            raise ValueError(
                f"expected a float32 generator, found layer {layer.name} in "
                f"{layer.compute_dtype}: rebuild it in float32 and copy the "
                "weights"
            )
    for variable in generator.variables:
        if not np.isfinite(variable.numpy()).all():
            raise ValueError(
                f"NaN or infinity in {variable.path}: the training diverged, "
                "train again"
            )
    module = tf.Module(name="generator")
    if facts.takes is not None:
        generator = folded(generator)
    network = _network(generator)
    # what is not an attribute of the module is not stored
    module.weights = _used(generator, network)
    signatures = _signatures(network, facts)
    # gradients of activations, which nobody who draws images asks for
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(
        module, str(folder), signatures=signatures, options=options
    )
    remove_chance(Path(folder))


def _used(generator: keras.Model, network: Callable) -> list[tf.Variable]:
    """Returns the variables that images depend on: not a dropout's seed."""
    captured = network.get_concrete_function().captured_inputs
    places = {id(handle) for handle in captured}
    variables = (variable.value for variable in generator.variables)
    return [each for each in variables if id(each.handle) in places]


def compare_model(
    generator: keras.Model,
    folder: str | Path,
    facts: ModelInfo,
    tolerance: float = TOLERANCE,
    most_steps: int = 1,
) -> None:
    """Reloads a SavedModel and compares it with the live generator.

    Args:
        generator: The generator that was saved.
        folder: The SavedModel.
        facts: Those it was saved with.
        tolerance: Largest difference of an image, in [-1, 1] or in SUVR.
        most_steps: Largest difference of a PNG, in steps of 65535.

    Raises:
        ValueError: If they differ by more.
    """
    loaded = tf.saved_model.load(str(folder))  # named, to stay alive
    call = loaded.signatures
    seeds, columns, inputs = _compared(facts)
    latents = latents_from_seeds(seeds, facts.latent_dim)
    given = {"latent": latents} | inputs if inputs else latents
    drawn = generator(given, training=False)
    image = call["serving_default"](latent=latents, **columns)["image"]
    suvr = call["generate"](seed=seeds, **columns)["suvr"]
    live = suvr_from_images(drawn, facts.suvr_max).numpy()
    difference = max(_largest(image, drawn), _largest(suvr, live))
    steps = 0.0
    for name, view in views(facts).items():
        encoded = call[name](seed=seeds, **columns)["image_bytes"].numpy()
        stored = png_from_suvr(view(live).numpy(), facts.suvr_max)
        pairs = zip(encoded, stored, strict=True)
        found = [_largest(_pixels(png), pixels) for png, pixels in pairs]
        steps = max(steps, *found)
    if not (difference <= tolerance and steps <= most_steps):
        raise ValueError(
            f"the exported model's images differ by {difference:.3g}, its "
            f"PNGs by {steps:g} steps from the live generator's (allowed are "
            f"{tolerance:g} and {most_steps}): nothing was exported"
        )


def _compared(facts: ModelInfo) -> tuple[tf.Tensor, dict, dict]:
    """Seeds, and conditions as a request and as the network have them."""
    if facts.takes is None:
        return tf.constant(COMPARED_SEEDS, tf.int64), {}, {}
    rows = example_rows(facts.takes)[: facts.max_rows]
    repeated = itertools.islice(itertools.cycle(COMPARED_SEEDS), len(rows))
    columns, inputs = (
        {name: tf.constant(values) for name, values in found.items()}
        for found in (
            as_columns(facts.takes, rows),
            as_inputs(facts.takes, rows),
        )
    )
    return tf.constant(list(repeated), tf.int64), columns, inputs


def _pixels(png: bytes) -> np.ndarray:
    """The values of a PNG `[rows, columns]`; none of a row that was refused."""
    if not png:
        return np.zeros([0, 0])
    return tf.io.decode_png(png, dtype=tf.uint16)[..., 0].numpy()


def _largest(found: tf.Tensor, expected: np.ndarray) -> float:
    """Returns the largest absolute difference, infinite if not finite."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or not np.isfinite(found).all():
        return np.inf
    difference = found.astype(np.float64) - expected.astype(np.float64)
    return float(np.abs(difference).max())
