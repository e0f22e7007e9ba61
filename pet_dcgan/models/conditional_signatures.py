"""The signatures of a conditional generator, and which rows they refuse.

A row that asks for what the generator does not know is refused by itself: what
it would be drawn from is replaced by something harmless, so that no other row
can notice, and its answer is NaN or empty, with the reason in `status`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from pet_dcgan.conditions import WEIGHTS_SLACK, Conditions
from pet_dcgan.config import PLANES, STAGES
from pet_dcgan.models.condition_rows import UNKNOWN_AGE
from pet_dcgan.models.conditioned import latent_length
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.png_notes import png_notes
from pet_dcgan.models.sampling import (
    latents_from_seeds,
    sanitised,
    suvr_from_images,
)
from pet_dcgan.models.signature_parts import (
    checked,
    png_bytes,
    shape_check,
    traced,
)
from pet_dcgan.models.volume_views import views
from pet_dcgan.utils.png import text_chunk

_MIXTURE = "mixture"  # in a PNG's text, of more than one stage
_SHAPES = {
    "stage": ([None, len(STAGES)], tf.float32),
    "plane": ([None], tf.string),
    "position_mm": ([None], tf.float32),
    "age": ([None], tf.float32),
    "sex": ([None], tf.string),
}


def conditional_network(
    generator: keras.Model, conditions: Conditions
) -> Callable:
    """The function of latents and conditions that all signatures share.

    Args:
        generator: A conditional generator.
        conditions: That it takes.

    Returns:
        `(latent, *conditions)`, as the generator's own inputs, to images.
    """
    inputs = {"latent": latent_length(generator)} | conditions.inputs

    def network(*values):
        named = dict(zip(inputs, values, strict=True))
        return generator(named, training=False)

    specs = [
        tf.TensorSpec([None, width], tf.float32, name=name)
        for name, width in inputs.items()
    ]
    return traced(network, *specs)


def conditional_signatures(
    network: Callable, facts: ModelInfo
) -> dict[str, Callable]:
    """The functions that `save_model` describes, traced.

    Args:
        network: From `conditional_network`.
        facts: Of a conditional model.

    Returns:
        By the names of the signatures.
    """
    takes = facts.takes
    latent, *_ = network.input_signature
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    asked = [
        tf.TensorSpec(shape, kind, name=name)
        for name, (shape, kind) in _SHAPES.items()
        if name in takes.inputs
    ]

    def drawn(latents, rows):
        return network(latents, *rows.inputs.values())

    def image(*values):
        latents, *rest = _checked_together(values, [latent, *asked], facts)
        rows = _understood(rest, takes)
        found = drawn(sanitised(latents), rows)
        return {"image": _or_nan(rows, found), "status": rows.status}

    def images(*values):
        """SUVR of all rows, also the refused ones."""
        seeds, *rest = _checked_together(values, [seed, *asked], facts)
        rows = _understood(rest, takes)
        latents = latents_from_seeds(seeds, facts.latent_dim)
        suvr = suvr_from_images(drawn(latents, rows), facts.suvr_max)
        return suvr, rows

    images = traced(images, seed, *asked)

    def suvr(*values):
        found, rows = images(*values)
        return {"suvr": _or_nan(rows, found), "status": rows.status}

    def encoded(view):
        def png(*values):
            found, rows = images(*values)
            notes = _notes(rows, facts)
            pngs = png_bytes(view(found), facts.suvr_max, notes)
            pngs = tf.where(rows.fine, pngs, "")
            return {"image_bytes": pngs, "status": rows.status}

        return traced(png, seed, *asked)

    def describe(seed):
        seed = checked(seed, "seed", facts.max_rows)
        return {"facts_bytes": tf.fill(tf.shape(seed), facts.to_json())}

    return {
        "serving_default": traced(image, latent, *asked),
        "generate": traced(suvr, seed, *asked),
        **{name: encoded(view) for name, view in views(facts).items()},
        "describe": traced(describe, seed),
    }


def _checked_together(
    values: tuple[tf.Tensor, ...], specs: list[tf.TensorSpec], facts: ModelInfo
) -> list[tf.Tensor]:
    """The inputs, once all have their shapes and the same number of rows."""
    check, shape = shape_check(values[0], specs[0].name, facts.max_rows)
    checks = [check]
    for value, spec in zip(values[1:], specs[1:], strict=True):
        row = spec.shape.as_list()[1:]
        # without the static shape, as in shape_check
        fed = tf.raw_ops.PlaceholderWithDefault(input=value, shape=None)
        found = tf.shape(fed)
        wanted = tf.concat([shape[:1], row], axis=0) if row else shape[:1]
        same = tf.raw_ops.Equal(
            x=found, y=wanted, incompatible_shape_error=False
        )
        lengths = "".join(f", {length}" for length in row)
        words = (
            f"expected {spec.name} of the shape [n{lengths}] with as many rows "
            f"as {specs[0].name}, found the shapes"
        )
        # the first input's own reason comes first
        with tf.control_dependencies([check]):
            same = tf.reduce_all(same)
        checks.append(
            tf.raw_ops.Assert(condition=same, data=[words, found, shape])
        )
    with tf.control_dependencies(checks):
        return [tf.identity(value) for value in values]


class _Rows(NamedTuple):
    """Rows of a request, understood.

    Attributes:
        inputs: The network's inputs by name, float32 `[n, width]`; those of
            refused rows are harmless ones.
        status: Why a row is refused, string `[n]`; empty where it is not.
        fine: Whether it is empty.
    """

    inputs: dict[str, tf.Tensor]
    status: tf.Tensor
    fine: tf.Tensor


def _understood(values: list[tf.Tensor], takes: Conditions) -> _Rows:
    """The rows of a request."""
    asked = dict(zip(takes.inputs, values, strict=True))
    status = tf.fill(tf.shape(asked["stage"])[:1], "")
    # of several reasons the first one
    for refused, words in reversed(list(_refusals(asked, takes))):
        status = tf.where(refused, words, status)
    fine = tf.equal(status, "")
    inputs = {
        name: tf.where(fine[:, tf.newaxis], _as_input(name, value), harmless)
        for (name, value), harmless in zip(
            asked.items(), _harmless(takes), strict=True
        )
    }
    return _Rows(inputs, status, fine)


def _refusals(
    asked: dict[str, tf.Tensor], takes: Conditions
) -> Iterator[tuple[tf.Tensor, str]]:
    """Yields which rows are refused, bool `[n]`, and why.

    NaN fits nowhere, since every comparison with it is false.
    """
    stage = asked["stage"]
    whole = tf.abs(tf.reduce_sum(stage, axis=-1) - 1.0) <= WEIGHTS_SLACK
    fits = whole & tf.reduce_all(stage >= 0.0, axis=-1)
    names = ", ".join(STAGES)
    yield ~fits, f"expected stage weights of {names}, which sum to 1"
    foreign = [float(each not in takes.stages) for each in STAGES]
    if any(foreign):
        fits = tf.equal(tf.reduce_sum(stage * foreign, axis=-1), 0.0)
        names = ", ".join(takes.stages)
        yield ~fits, f"expected a stage that was trained on, of {names}"
    if "plane" in asked:
        fits = _among(asked["plane"], takes.planes)
        yield ~fits, f"expected a plane among {', '.join(takes.planes)}"
    if "position_mm" in asked:
        yield from _off_band(asked, takes)
    if "age" in asked:
        low, high = takes.ages
        fits = _within(asked["age"], low, high) | ~_age_known(asked["age"])
        yield ~fits, f"expected age from {low:g} to {high:g}, or NaN or -1"
    if "sex" in asked:
        fits = _among(asked["sex"], ("F", "M", ""))
        yield ~fits, "expected sex F or M, or an empty text"


def _off_band(
    asked: dict[str, tf.Tensor], takes: Conditions
) -> Iterator[tuple[tf.Tensor, str]]:
    """Yields the rows whose position lies outside the band of their plane."""
    for plane, (low, high) in takes.bands_mm.items():
        refused = ~_within(asked["position_mm"], low, high)
        if "plane" in asked:
            refused &= tf.equal(asked["plane"], plane)
        words = f"from {low:g} to {high:g} in the {plane} plane"
        yield refused, f"expected position_mm {words}"


def _among(values: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    """Whether texts are among some, bool `[n]`."""
    return tf.reduce_any(tf.stack([tf.equal(values, n) for n in names]), axis=0)


def _within(values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Whether values lie in a closed interval, bool `[n]`."""
    return (values >= low) & (values <= high)


def _age_known(ages: tf.Tensor) -> tf.Tensor:
    """Whether an age was given, bool `[n]`."""
    return ~(tf.math.is_nan(ages) | tf.equal(ages, UNKNOWN_AGE))


def _as_input(name: str, values: tf.Tensor) -> tf.Tensor:
    """What a request has as the network's input, float32 `[n, width]`."""
    if name == "stage":
        return values
    if name == "plane":
        planes = [tf.equal(values, plane) for plane in PLANES]
        return tf.cast(tf.stack(planes, axis=-1), tf.float32)
    if name == "age":
        values = tf.where(_age_known(values), values, math.nan)
    if name == "sex":
        female = tf.where(tf.equal(values, "F"), 0.0, math.nan)
        values = tf.where(tf.equal(values, "M"), 1.0, female)
    return values[:, tf.newaxis]


def _harmless(takes: Conditions) -> Iterator[list[float]]:
    """Yields what the generator knows, a row of each input."""
    plane, (low, _) = next(iter(takes.bands_mm.items()))
    known = {
        "stage": [float(name == takes.stages[0]) for name in STAGES],
        "plane": [float(name == plane) for name in PLANES],
        "position_mm": [low],
        "age": [math.nan],
        "sex": [math.nan],
    }
    return (known[name] for name in takes.inputs)


def _or_nan(rows: _Rows, images: tf.Tensor) -> tf.Tensor:
    """Images, NaN where a row is refused."""
    sides = [1] * (len(images.shape) - 1)
    fine = tf.reshape(rows.fine, [-1, *sides])
    return tf.where(fine, images, math.nan)


def _notes(rows: _Rows, facts: ModelInfo) -> tf.Tensor:
    """Text chunks of the PNGs, string `[n]`, each with its own stage."""
    by_row = {"stage": (_MIXTURE, STAGES), "plane": ("", PLANES)}
    parts = []
    for key, text in png_notes(facts).items():
        chunk = text_chunk(key, text)
        if key in rows.inputs:
            other, names = by_row[key]
            chunk = tf.constant(text_chunk(key, other))
            for number, name in enumerate(names):
                whole = tf.equal(rows.inputs[key][:, number], 1.0)
                chunk = tf.where(whole, text_chunk(key, name), chunk)
        parts.append(chunk)
    return tf.strings.join(parts)
