"""The encoder of a run: made once and kept in the run's folder."""

from pathlib import Path

import numpy as np

from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.utils.progress import status

_BYTES = 2**28


def encoder_of(run_path: str | Path, slices: Slices, *, seed: int) -> Encoder:
    """The encoder in a run's folder, or else a new one that is saved there.

    A damaged one is made again, with a line on stderr. Of very many slices,
    as many as fit into 256 MB are used, evenly over the subjects.

    Args:
        run_path: The run's folder.
        slices: The run's training slices.
        seed: The run's.
    """
    folder = Path(run_path) / "encoder"
    try:
        return Encoder.load(folder)
    except FileNotFoundError:
        pass
    except ValueError as error:
        status(str(error))
    count, height, width = slices.images.shape
    most = min(count, _BYTES // (4 * height * width))
    chosen = np.linspace(0, count - 1, most).round().astype(np.int64)
    images = np.asarray(slices.images[chosen])
    encoder = train_encoder(
        suvr_from_png(images, slices.meta.suvr_max),
        positions_mm=slices.positions_mm[chosen],
        subjects=slices.subjects[chosen],
        seed=seed,
    )
    encoder.save(folder)
    return encoder
