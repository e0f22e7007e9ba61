"""A conditional generator asked for something: a generator of latents alone.

Whatever draws from a generator of latents can so draw from a conditional one.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import ALL_PLANES, ALL_STAGES, PLANES, STAGES
from pet_dcgan.models.condition_layers import ConditionFeatures
from pet_dcgan.models.condition_values import checked_values
from pet_dcgan.models.losses import PACKAGE

# numbers of a latent that stage, plane and position are drawn from
_DRAWN = 3


def conditions_of(network: keras.Model) -> Conditions | None:
    """The conditions that a network takes, None without any.

    Args:
        network: A generator or a discriminator.
    """
    for layer in network.layers:
        if isinstance(layer, ConditionFeatures):
            return layer.conditions
    return None


def latent_length(generator: keras.Model) -> int:
    """Length of a generator's latent vectors.

    Args:
        generator: From latents `[n, latent_dim]`, perhaps with conditions.
    """
    if conditions_of(generator) is None:
        return generator.input_shape[-1]
    return generator.input["latent"].shape[-1]


def asked(
    generator: keras.Model,
    *,
    stage: str | Sequence[float] = ALL_STAGES,
    plane: str = ALL_PLANES,
    position_mm: float | None = None,
    age: float | None = None,
    sex: str | None = None,
) -> keras.Model:
    """A generator of latents alone, asked for what is given.

    What is not given is drawn from further numbers of the latent: stages,
    planes and positions of its plane's band each with equal probability. Age
    and sex are then unknown.

    Args:
        generator: A conditional generator.
        stage: A stage, the weights of all three, or `"ALL"`.
        plane: A plane that the generator knows, or `"ALL"`.
        position_mm: Distance from the centre of the brain, within the band.
        age: Years.
        sex: `"F"` or `"M"`.

    Returns:
        Model `[n, latent_dim + 3]` to `[n, size, size, channels]`, which
        shares the generator's weights. The first `latent_dim` numbers are its
        own latents.

    Raises:
        ValueError: If the generator does not know what is asked for.
    """
    conditions = conditions_of(generator)
    if conditions is None:
        raise ValueError(
            "expected a conditional generator, found one of latents alone"
        )
    wanted = {
        "stage": stage,
        "plane": plane,
        "position_mm": position_mm,
        "age": age,
        "sex": sex,
    }
    length = latent_length(generator)
    latent = keras.Input([length + _DRAWN], name="latent")
    layer = Asked(conditions, wanted, length, name="asked")
    image = generator(layer(latent))
    return keras.Model(latent, image, name=generator.name)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Asked(keras.layers.Layer):
    """Longer latents to latents and conditions, see `asked`.

    Args:
        conditions: Of the generator, or their `to_dict`.
        wanted: What is asked for, by name.
        length: Of the generator's latents.
    """

    def __init__(
        self,
        conditions: Conditions | dict,
        wanted: dict[str, Any],
        length: int,
        **options,
    ) -> None:
        super().__init__(**{"dtype": "float32"} | options)
        if not isinstance(conditions, Conditions):
            conditions = Conditions.from_dict(conditions)
        self.conditions = conditions
        self.given = dict(wanted)
        self.wanted = checked_values(conditions, **wanted)
        self.length = length

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "conditions": self.conditions.to_dict(),
            "wanted": self.given,
            "length": self.length,
        }

    def call(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """A dictionary of `latent` and every condition."""
        # from [-1, 1) to [0, 1)
        drawn = (inputs[:, self.length :] + 1.0) / 2.0
        names = self.conditions.inputs
        stage = self._stage(drawn[:, 0])
        found = {"latent": inputs[:, : self.length], "stage": stage}
        if {"plane", "position_mm"} & names.keys():
            plane = self._plane(drawn[:, 1])
            found["plane"] = plane
            found["position_mm"] = self._position(plane, drawn[:, 2])
        found = {n: x for n, x in found.items() if n in ("latent", *names)}
        for name in ("age", "sex"):
            if name in names:
                found[name] = tf.fill(
                    [tf.shape(inputs)[0], 1], self.wanted[name]
                )
        return found

    def _stage(self, drawn: tf.Tensor) -> tf.Tensor:
        """Weights `[n, 3]`."""
        weights = self.wanted["stage"]
        if weights is not None:
            return tf.tile(tf.constant([weights]), [tf.shape(drawn)[0], 1])
        return _one_of(drawn, self.conditions.stages, STAGES)

    def _plane(self, drawn: tf.Tensor) -> tf.Tensor:
        """Planes `[n, 3]`."""
        plane = self.wanted["plane"]
        planes = self.conditions.planes if plane is None else (plane,)
        return _one_of(drawn, planes, PLANES)

    def _position(self, plane: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
        """Positions `[n, 1]`."""
        if self.wanted["position_mm"] is not None:
            return tf.fill([tf.shape(drawn)[0], 1], self.wanted["position_mm"])
        bands = self.conditions.bands_mm
        ends = tf.constant([bands.get(name, (0.0, 0.0)) for name in PLANES])
        low, high = tf.unstack(plane @ ends, axis=-1)
        return (low + drawn * (high - low))[:, tf.newaxis]

    def compute_output_shape(self, input_shape: tuple) -> dict[str, tuple]:
        """Shapes by name."""
        widths = {"latent": self.length} | self.conditions.inputs
        return {name: (input_shape[0], n) for name, n in widths.items()}

    def compute_output_spec(self, inputs: keras.KerasTensor) -> dict:
        """The same as tensors, of shapes `[n, length]` by name."""
        shapes = self.compute_output_shape(inputs.shape)
        return {n: keras.KerasTensor(s, "float32") for n, s in shapes.items()}


def _one_of(
    drawn: tf.Tensor, chosen: Sequence[str], names: Sequence[str]
) -> tf.Tensor:
    """Rows of one 1, float32 `[n, len(names)]`, each choice as often."""
    places = tf.constant([names.index(name) for name in chosen])
    which = tf.cast(drawn * len(chosen), tf.int32)
    which = tf.clip_by_value(which, 0, len(chosen) - 1)
    return tf.one_hot(tf.gather(places, which), len(names))
