"""Features of InceptionV3, the network behind most published distances."""

import contextlib
import dataclasses
import sys
from typing import Any

import keras
import numpy as np

from pet_dcgan.features.encoder import checked_images, in_chunks

NAME = "inception"
VERSION = 1
FEATURES = 2048
_SIDE = 299
_CHUNK = 16
_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"


@dataclasses.dataclass(frozen=True)
class InceptionEncoder:
    """Images in SUVR to InceptionV3's features; made by `inception_encoder`.

    Args:
        network: Images `[n, 299, 299, 3]` in [-1, 1] to features `[n, 2048]`.
        facts: `name`, `version`, `weights`, `scale` (SUVR that is shown as
            white) and the number of `features`.
    """

    network: keras.Model
    facts: dict[str, Any]

    def features(self, images_suvr: np.ndarray) -> np.ndarray:
        """Features of images, of each independent of the others.

        Args:
            images_suvr: `[n, size, size]` in SUVR, size a multiple of 16.

        Returns:
            float32 `[n, 2048]`, as the network gives them.

        Raises:
            ValueError: If the shape is another or a value is not finite.
        """
        images = checked_images(images_suvr, size=None)
        scale = self.facts["scale"]
        return in_chunks(
            lambda part: self.network(_shown(part, scale), training=False),
            images,
            _CHUNK,
        )


def inception_encoder(
    *, suvr_max: float, weights: str | None = "imagenet"
) -> InceptionEncoder:
    """InceptionV3 as trained on ImageNet (Szegedy et al. 2015).

    The network of arXiv 1512.00567 with the weights of `keras.applications`,
    which are fetched once. It knows photographs, not PET, and the weights are
    not those of published Inception distances (Heusel et al. 2017, arXiv
    1706.08500): its numbers may be compared among runs here, not with papers.

    Args:
        suvr_max: SUVR that is shown as white.
        weights: As of `keras.applications`; `None` for random ones.

    Raises:
        ConnectionError: If the weights are missing and cannot be fetched.
        ValueError: If `suvr_max` is not positive.
    """
    if not (np.isfinite(suvr_max) and suvr_max > 0):
        raise ValueError(f"expected suvr_max above 0, found {suvr_max!r}")
    try:
        # Keras reports its download on stdout, which is for results
        with contextlib.redirect_stdout(sys.stderr):
            network = keras.applications.InceptionV3(
                include_top=False,
                weights=weights,
                input_shape=(_SIDE, _SIDE, 3),
                pooling="avg",
            )
    # what Keras raises where it cannot fetch is a plain Exception
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ConnectionError(
            "expected the weights of InceptionV3, which Keras fetches once, "
            f"found none ({reason}): connect this machine, put {_FILE} into "
            "~/.keras/models, or leave out --encoder inception"
        ) from error
    facts = {
        "name": NAME,
        "version": VERSION,
        "weights": weights,
        "scale": float(suvr_max),
        "features": FEATURES,
    }
    return InceptionEncoder(network, facts)


def _shown(images: np.ndarray, scale: float):
    """Images in SUVR as the network takes them, `[n, 299, 299, 3]`."""
    grey = images[..., None] / scale * 2 - 1
    large = keras.ops.image.resize(
        grey, (_SIDE, _SIDE), interpolation="bilinear"
    )
    return keras.ops.repeat(large, 3, axis=-1)
