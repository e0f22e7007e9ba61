"""Encoders: networks that turn images into features of one scale."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.models.embedding import layer_seed
from pet_dcgan.references import RecipeError, require_recipe
from pet_dcgan.utils.array_files import read_arrays
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_text import one_line, parse_object
from pet_dcgan.utils.keras_settings import keras_defaults

EMBEDDING = 64
FILE = "encoder.npz"
_WIDTHS = (16, 32, 64, 128)
_SLOPE = 0.1
# an encoder stays float32 whatever the policy of the training it serves
_FLOAT = "float32"
_RIDGE = 1.0
_CHUNK = 64


@keras_defaults()
def build_embedding(size: int, *, seed: int) -> keras.Model:
    """Images `[n, size, size, 1]` to 64 numbers, to be trained.

    Four 3x3 convolutions of stride 2 with batch normalisation and leaky ReLU.
    One dense layer takes means over a 4x4 grid of the last one, and over the
    whole image of the others, which show noise and texture.

    Args:
        size: Height and width of an image, a multiple of 16.
        seed: Fixes the initial weights.
    """
    image, maps = _convolutions(size, seed, normalised=True)
    grid = keras.layers.Flatten(dtype=_FLOAT)(_grid(maps[-1], 4))
    x = keras.layers.Concatenate(dtype=_FLOAT)([grid, *_means(maps[:-1])])
    embedding = keras.layers.Dense(
        EMBEDDING,
        kernel_initializer=glorot(seed, len(_WIDTHS)),
        dtype=_FLOAT,
    )(x)
    return keras.Model(image, embedding)


@keras_defaults()
def build_random(size: int, *, seed: int) -> keras.Model:
    """Images `[n, size, size, 1]` to means of random convolutions.

    Means over the image of every layer's channels, and over a 2x2 grid of the
    last one's. No weight is ever trained.

    Args:
        size: Height and width of an image, a multiple of 16.
        seed: Fixes the weights.
    """
    image, maps = _convolutions(size, seed, normalised=False)
    grid = keras.layers.Flatten(dtype=_FLOAT)(_grid(maps[-1], 2))
    joined = keras.layers.Concatenate(dtype=_FLOAT)([*_means(maps), grid])
    return keras.Model(image, joined)


def _convolutions(size: int, seed: int, *, normalised: bool) -> tuple:
    image = x = keras.Input([size, size, 1], dtype=_FLOAT)
    maps: list = []
    for index, width in enumerate(_WIDTHS):
        x = keras.layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            use_bias=not normalised,
            kernel_initializer=glorot(seed, index),
            dtype=_FLOAT,
        )(x)
        if normalised:
            x = keras.layers.BatchNormalization(momentum=0.9, dtype=_FLOAT)(x)
        x = leaky()(x)
        maps.append(x)
    return image, maps


def _means(maps: list) -> list:
    pool = keras.layers.GlobalAveragePooling2D
    return [pool(dtype=_FLOAT)(x) for x in maps]


def _grid(x, cells: int):
    """Means over `cells` x `cells`, or what is smaller already."""
    side = max(1, x.shape[1] // cells)
    return keras.layers.AveragePooling2D(side, dtype=_FLOAT)(x)


def leaky() -> keras.layers.Layer:
    """The leaky ReLU of every layer of an encoder, in float32."""
    return keras.layers.LeakyReLU(negative_slope=_SLOPE, dtype=_FLOAT)


def glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """Initial weights, of each layer from a stream of its own.

    Args:
        seed: Seed of the encoder.
        layer: Number of the layer.
    """
    return keras.initializers.GlorotUniform(seed=layer_seed(seed, layer))


@dataclasses.dataclass(frozen=True)
class Whitening:
    """A linear map fitted to a network's outputs for training images.

    Args:
        mean: Mean output `[r]`.
        basis: Matrix `[r, d]` from outputs without their mean to features.
    """

    mean: np.ndarray
    basis: np.ndarray

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Features float32 `[n, d]` of the network's outputs `[n, r]`."""
        return ((raw - self.mean) @ self.basis).astype(np.float32)


def fit_whitening(raw: np.ndarray, *, components: int) -> Whitening:
    """Standardises outputs, and scales their principal components alike.

    A component of variance `v` is divided by `sqrt(v + 1)`, so that a few
    large ones do not dominate a polynomial kernel, and ones that are mere
    noise in few images are not amplified.

    Args:
        raw: Outputs of a network `[n, r]` for training images.
        components: Features to keep, those of the largest variance.
    """
    raw = np.asarray(raw, np.float64)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    # an output that never changes says nothing, however it is scaled
    spread = np.where(spread > 1e-8 * (1 + np.abs(mean)), spread, 1.0)
    standard = (raw - mean) / spread
    values, vectors = np.linalg.eigh(standard.T @ standard / len(raw))
    values, vectors = values[::-1][:components], vectors[:, ::-1]
    scale = 1 / np.sqrt(np.maximum(values, 0) + _RIDGE)
    basis = vectors[:, :components] / spread[:, None] * scale
    return Whitening(mean, basis)


_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "trained": build_embedding,
    "random": build_random,
}
_WHITENING = ("mean", "basis")
# of a file; one for images of 256 pixels has 2 MB
_MOST_BYTES = 2**28
_MOST_SIZE = 4096


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Images in SUVR to features; made by `train_encoder`.

    Args:
        network: Images `[n, size, size, 1]`, divided by `facts["scale"]`, to
            outputs `[n, r]`.
        whitening: These outputs to features.
        facts: `name`, `version`, `recipe` of the slices, `seed`, `size`,
            `scale` (SUVR that a 1 stands for), and how many images and
            subjects it was made with. Two encoders of equal facts but other
            images differ.
    """

    # of the network for each image
    outputs_of_image: ClassVar[int] = 1

    network: keras.Model
    whitening: Whitening
    facts: dict[str, Any]

    def features(self, images_suvr: np.ndarray) -> np.ndarray:
        """Features of images, of each independent of the others.

        Args:
            images_suvr: `[n, size, size]` in SUVR.

        Returns:
            float32 `[n, d]`, about 0 on average and of similar spread for the
            images it was made with.

        Raises:
            ValueError: If the shape is another or a value is not finite.
        """
        images = checked_images(images_suvr, size=self.facts["size"])
        return self.whitening(
            raw_outputs(self.network, images, scale=self.facts["scale"])
        )

    def save(self, folder: str | Path) -> None:
        """Writes `encoder.npz` to a folder, whole or not at all."""
        weights = enumerate(self.network.get_weights())
        with replacing(Path(folder) / FILE) as temporary:
            np.savez(
                temporary,
                facts=json.dumps(self.facts),
                mean=self.whitening.mean,
                basis=self.whitening.basis,
                **{f"weight_{index}": array for index, array in weights},
            )

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote; its features are the same bits.

        Raises:
            FileNotFoundError: If there is none.
            RecipeError: If it learned from slices of another recipe.
            ValueError: If the file is damaged.
        """
        path = Path(folder) / FILE
        if not path.exists():
            raise FileNotFoundError(
                f"expected an encoder, found no {path}: train with --set "
                "select_every= or evaluate the run"
            )
        try:
            stored = read_arrays(path, most=_MOST_BYTES)
            facts = _checked_facts(stored.pop("facts", ""))
            require_recipe(
                facts.get("recipe", 1),
                f"an encoder in {path} of slices",
                remedy="remove it, and it is made again",
            )
            network = _BUILDERS[facts["name"]](
                facts["size"], seed=facts["seed"]
            )
            mean, basis = (stored.pop(name, None) for name in _WHITENING)
            outputs = cls.outputs_of_image * network.output_shape[-1]
            _require_floats({"mean": mean}, {"mean": (outputs,)})
            features = np.shape(basis)[-1:] or (0,)
            _require_floats({"basis": basis}, {"basis": (outputs, *features)})
            weights = enumerate(network.weights)
            shapes = {f"weight_{i}": tuple(w.shape) for i, w in weights}
            _require_floats(stored, shapes)
            network.set_weights([stored[name] for name in shapes])
        except RecipeError:
            raise
        except ValueError as error:
            raise ValueError(
                f"expected an encoder in {path}, found a damaged file "
                f"({one_line(error)}): remove it, and it is made again"
            ) from None
        return cls(network, Whitening(mean, basis), facts)


def _checked_facts(text: object) -> dict[str, Any]:
    """The facts of a stored encoder, those that its network is built by."""
    facts = parse_object(str(text), source="its facts")
    size, scale = facts.get("size"), facts.get("scale")
    if facts.get("name") not in _BUILDERS:
        raise ValueError("another name of a network")
    if type(size) is not int or size % 16 or not 16 <= size <= _MOST_SIZE:
        raise ValueError("another size of images")
    if type(facts.get("seed")) is not int or facts["seed"] < 0:
        raise ValueError("another seed")
    if type(scale) not in (int, float) or not scale > 0:
        raise ValueError("another scale")
    return facts


def _require_floats(
    found: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuses arrays that are not just these, of finite floats."""
    if found.keys() != shapes.keys():
        raise ValueError("other arrays than an encoder's")
    for name, shape in shapes.items():
        array = found[name]
        if np.shape(array) != shape or array.dtype.kind != "f":
            raise ValueError(f"another {name}")
        require_finite(array)


def in_chunks(
    function: Callable[[np.ndarray], Any], images: np.ndarray, chunk: int
) -> np.ndarray:
    """Applies a function to a few images at a time, and joins the results.

    Args:
        function: Of `[k, size, size]`, `k` at most `chunk`.
        images: `[n, size, size]`.
        chunk: Images at a time.
    """
    starts = range(0, len(images), chunk)
    parts = [function(images[start : start + chunk]) for start in starts]
    return np.concatenate([np.asarray(part) for part in parts])


def raw_outputs(
    network: keras.Model, images: np.ndarray, *, scale: float
) -> np.ndarray:
    """A network's outputs for images, before whitening.

    Args:
        network: From images `[n, size, size, 1]` to outputs `[n, r]`.
        images: float32 `[n, size, size]`.
        scale: What they are divided by first.

    Returns:
        float32 `[n, r]`.
    """

    def outputs(part: np.ndarray) -> tf.Tensor:
        scaled = tf.constant(part[..., np.newaxis] / scale)
        return network(scaled, training=False)

    return in_chunks(outputs, images, _CHUNK)


def checked_images(images_suvr: np.ndarray, *, size: int | None) -> np.ndarray:
    """Images as finite float32 `[n, size, size]`.

    Args:
        images_suvr: Images in SUVR.
        size: What height and width must be, `None` for any multiple of 16.

    Raises:
        ValueError: If they are not.
    """
    images = np.asarray(images_suvr, np.float32)
    square = images.ndim == 3 and images.shape[1] == images.shape[2]
    wanted = size or (images.shape[-1] // 16 * 16 if square else 0)
    if not square or not len(images) or images.shape[1] != wanted or not wanted:
        raise ValueError(
            f"expected images [n, {size or 'size'}, {size or 'size'}] in SUVR"
            f"{'' if size else ' with a size of 16, 32, 48, ...'}, found shape "
            f"{images.shape}"
        )
    require_finite(images)
    return images
