"""The part of a conditional network that its conditions go through."""

import keras
import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.condition_layers import ConditionFeatures

LEAKY_SLOPE = 0.2
_NUMBERS = 48


def layer_seed(*key: int) -> int:
    """A seed for the initial weights of a layer, another for every key."""
    return int(np.random.SeedSequence(list(key)).generate_state(1)[0] >> 1)


def condition_inputs(conditions: Conditions) -> dict[str, keras.KerasTensor]:
    """The inputs of conditions, by name.

    Args:
        conditions: Of the network.
    """
    widths = conditions.inputs.items()
    return {name: keras.Input([width], name=name) for name, width in widths}


def embedding(
    conditions: Conditions, inputs: dict, seed: int, network: int
) -> keras.KerasTensor:
    """Conditions through two dense layers, `[n, 48]`.

    Args:
        conditions: Of the network.
        inputs: From `condition_inputs`.
        seed: Of the networks' initial weights.
        network: Which network it is, of which each draws other weights.
    """
    x = ConditionFeatures(conditions, name="features", dtype="float32")(inputs)
    for name in ("embed", "embed_more"):
        x = dense(_NUMBERS, name, seed, network)(x)
        x = keras.layers.LeakyReLU(
            negative_slope=LEAKY_SLOPE, name=f"{name}_leaky", dtype="float32"
        )(x)
    return x


def dense(units: int, name: str, seed: int, network: int) -> keras.layers.Layer:
    """A dense layer of a conditional network, in float32.

    Args:
        units: Its outputs.
        name: Its name; layers of other names draw other weights.
        seed: Of the networks' initial weights.
        network: Which network it is.
    """
    stream = layer_seed(seed, network, *name.encode())
    return keras.layers.Dense(
        units,
        kernel_initializer=keras.initializers.GlorotUniform(seed=stream),
        name=name,
        dtype="float32",
    )
