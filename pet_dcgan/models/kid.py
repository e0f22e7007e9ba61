"""The kernel inception distance (KID) as a Keras metric."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.features.encoder import (
    EMBEDDING,
    Encoder,
    build_random,
    fit_whitening,
    in_chunks,
)
from pet_dcgan.features.volume_encoder import VolumeEncoder
from pet_dcgan.image_facts import is_volume
from pet_dcgan.metrics.cuts import AXES
from pet_dcgan.models.losses import PACKAGE
from pet_dcgan.models.volume_views import cuts
from pet_dcgan.utils.keras_settings import keras_defaults

_MULTIPLE = 16  # sizes that the convolutions take
_CHUNK = 64


class Whitening(keras.layers.Layer):
    """Outputs of a network to features: `(outputs - mean) @ basis`.

    A layer, since Keras saves the weights of a metric's layers, and not its
    own variables.

    Args:
        outputs: Numbers of the network for an image.
        components: Features.
    """

    def __init__(self, outputs: int, components: int, **options) -> None:
        super().__init__(dtype="float32", trainable=False, **options)
        self.mean = self.add_weight([outputs], "zeros", name="mean")
        self.basis = self.add_weight(
            [outputs, components], "zeros", name="basis"
        )
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Outputs `[n, outputs]` to features `[n, components]`."""
        return (inputs - self.mean) @ self.basis


@keras.saving.register_keras_serializable(package=PACKAGE)
class KID(keras.metrics.Metric):
    """KID between the real and the generated images of a whole pass.

    The unbiased estimate of Binkowski et al. (2018), arXiv 1801.01401, with
    the kernel `k(x, y) = (x.y / d + 1)^3`, over all pairs of images and not
    batch by batch. With `z = (1, x / sqrt(d))`, the kernel of two images is
    the inner product of the tensors `z * z * z` of each; so the sums of these
    tensors hold all sums over pairs, whatever the number of images.

    Features are means of convolutions that nobody trained, and whitened for
    some images by `adapt`; `fit` and `evaluate` do that. They rank the
    generators of one training; their values cannot be compared with those of
    other features, nor of other images. `KID.of` takes the features of an
    encoder instead.

    Pairs of slices of one subject count as well, since subjects are not
    known here. That adds a constant for given real images, which makes the
    value larger than that of `pet_dcgan evaluate`.

    Volumes are looked at in three orthogonal cuts, whose features are joined,
    see `pet_dcgan.metrics.cuts`.

    Args:
        size: Height and width of an image, a multiple of 16.
        seed: Fixes the convolutions.
        components: Features to keep at most.
        gain: What images in [0, 1] are multiplied by for the network.
        name: Name in logs.
        network: In place of the convolutions: images `[n, size, size, 1]` to
            outputs `[n, o]`.
        volumes: Whether images are volumes.
    """

    @keras_defaults()
    def __init__(
        self,
        size: int,
        *,
        seed: int = 0,
        components: int = EMBEDDING,
        gain: float = 1.0,
        name: str = "kid",
        network: keras.Model | None = None,
        volumes: bool = False,
    ) -> None:
        super().__init__(name=name, dtype="float32")
        # as of Keras's own metrics: less is better
        self._direction = "down"
        self.size, self.seed = size, seed
        self.components, self.gain = components, gain
        self.volumes = volumes
        self.network = network or build_random(size, seed=seed)
        outputs = self.network.output_shape[-1] * (len(AXES) if volumes else 1)
        self.whitening = Whitening(outputs, components)
        side = components + 1
        self.sums = {
            kind: {
                "images": self._sum(f"{kind}_images", ()),
                "own": self._sum(f"{kind}_own", ()),
                "moment": self._sum(f"{kind}_moment", (side**2, side)),
            }
            for kind in ("real", "generated")
        }

    @classmethod
    def of(
        cls, encoder: Encoder, *, suvr_max: float, name: str = "kid"
    ) -> "KID":
        """The KID by the features of an encoder.

        Args:
            encoder: Such as `Run.encoder` gives, trained on training slices
                or volumes.
            suvr_max: SUVR that the model's +1 stands for.
            name: Name in logs.
        """
        metric = cls(
            encoder.facts["size"],
            seed=encoder.facts["seed"],
            components=encoder.whitening.basis.shape[1],
            gain=suvr_max / encoder.facts["scale"],
            name=name,
            network=encoder.network,
            volumes=isinstance(encoder, VolumeEncoder),
        )
        metric._whiten(encoder.whitening.mean, encoder.whitening.basis)
        return metric

    def adapt(self, images: np.ndarray) -> None:
        """Whitens the features of images, unless that has been done.

        Args:
            images: float32 `[n, size, size]` in [0, 1], a share of the
                largest uptake, or volumes `[n, size, size, size]`; some dozens
                or more.
        """
        if np.any(self.whitening.basis) or not len(images):
            return
        raw = in_chunks(
            lambda part: self._raw(tf.constant(part)), images, _CHUNK
        )
        whitening = fit_whitening(raw, components=self.components)
        self._whiten(whitening.mean, whitening.basis)

    def update_state(
        self, real: tf.Tensor, generated: tf.Tensor, sample_weight: None = None
    ) -> None:
        """Adds the images of a batch.

        Args:
            real: `[n, size, size, channels]` in [-1, 1].
            generated: `[m, size, size, channels]` in [-1, 1].
            sample_weight: Ignored: images count equally.
        """
        for sums, images in zip(
            self.sums.values(), (real, generated), strict=True
        ):
            if not self.volumes:
                images = tf.reduce_mean(images, axis=-1)
            unit = (images + 1.0) / 2.0
            features = self.whitening(self._raw(unit))
            features = tf.cast(features, tf.float64)
            count = tf.cast(tf.shape(features)[0], tf.float64)
            scaled = features / np.sqrt(self.components)
            z = tf.concat([tf.ones_like(scaled[:, :1]), scaled], axis=1)
            pairs = tf.einsum("ni,nj->nij", z, z)
            pairs = tf.reshape(pairs, [-1, (self.components + 1) ** 2])
            sums["images"].assign_add(count)
            sums["moment"].assign_add(tf.matmul(pairs, z, transpose_a=True))
            of_itself = tf.reduce_sum(tf.square(z), axis=1) ** 3
            sums["own"].assign_add(tf.reduce_sum(of_itself))

    def result(self) -> tf.Tensor:
        """The KID of all images so far, a scalar.

        It is NaN for fewer than two images of a kind, and before `adapt`, as
        where all images come from Python generators.
        """
        within, means = 0.0, []
        for sums in self.sums.values():
            count = tf.convert_to_tensor(sums["images"])
            moment = tf.convert_to_tensor(sums["moment"])
            of_others = tf.reduce_sum(tf.square(moment)) - sums["own"]
            pairs = count * (count - 1.0)
            within += tf.where(pairs > 0, of_others / pairs, np.nan)
            means.append(moment / count)
        across = tf.reduce_sum(means[0] * means[1])
        known = tf.reduce_any(self.whitening.basis != 0.0)
        found = tf.where(known, within - 2.0 * across, np.nan)
        return tf.cast(found, tf.float32)

    def reset_state(self) -> None:
        """Forgets the images, and keeps the whitening."""
        for sums in self.sums.values():
            for variable in sums.values():
                variable.assign(tf.zeros(variable.shape, tf.float64))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights are saved beside them."""
        return {
            "size": self.size,
            "seed": self.seed,
            "components": self.components,
            "gain": self.gain,
            "name": self.name,
            "network": keras.saving.serialize_keras_object(self.network),
            "volumes": self.volumes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "KID":
        """The metric that `get_config` describes."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**config | {"network": network})

    def _raw(self, unit: tf.Tensor) -> tf.Tensor:
        """The network's outputs for images in [0, 1]."""
        if self.volumes:
            # the three of a volume one after the other
            joined = tf.stack(cuts(unit), axis=1)
            unit = tf.reshape(joined, [-1, *unit.shape[2:]])
        raw = self.network(unit[..., tf.newaxis] * self.gain, training=False)
        return tf.reshape(raw, [-1, self.whitening.mean.shape[0]])

    def _whiten(self, mean: np.ndarray, basis: np.ndarray) -> None:
        # of few images there are few components
        missing = self.components - basis.shape[1]
        basis = np.pad(basis, [[0, 0], [0, missing]])
        self.whitening.set_weights([mean, basis])

    def _sum(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        return self.add_variable(shape, "zeros", dtype="float64", name=name)


def default_metrics(shape: tuple[int | None, ...]) -> list[KID]:
    """The KID of images of a shape; none where its convolutions do not fit.

    Args:
        shape: Of the images, `(None, size, size, channels)`, or of volumes
            `(None, size, size, size)`.
    """
    height, width = shape[1:3] if len(shape) == 4 else (None, None)
    fits = height and height == width and not height % _MULTIPLE
    return [KID(height, volumes=is_volume(shape))] if fits else []
