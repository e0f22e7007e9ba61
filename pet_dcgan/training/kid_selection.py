"""The best generator by KID on validation subjects, and when to stop."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.distribution import Kid, kid
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.selection_log import (
    FILE,
    KidEvaluation,
    best_evaluation,
    evaluations_without_improvement,
    read_evaluations,
    write_evaluations,
)
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.progress import status

SYNTHETIC = 256
LEAST_SLICES = 4
# seeds that neither samples nor an evaluation begin with
FIRST_SEED = 2**40
# a training resumes from one of the last two states, or from before a look
# that it had no time to save the state of
_KEPT = 3


class ValidationSlices(NamedTuple):
    """Real slices that a training may look at but does not train on.

    Args:
        images_suvr: `[n, size, size]` in SUVR.
        subjects: Text `[n]`.
    """

    images_suvr: np.ndarray
    subjects: np.ndarray


class KidSelection(keras.callbacks.Callback):
    """Looks at the KID every few epochs and keeps the best generator.

    The images are those of the average where there is one, always of the same
    `SYNTHETIC` seeds. What was found stands in `selection.csv`, in the log's
    column `val_kid` and so in TensorBoard; the weights of the best generator
    in `checkpoint/best_0040.npz`, of which the last few are kept, so that a
    training that resumes from an earlier state still has the best one before.

    Args:
        run_path: The run's folder.
        config: `select_every`, `patience`, seed and SUVR scale.
        encoder: Made of training slices.
        real: Slices of validation subjects, `LEAST_SLICES` or more.
    """

    def __init__(
        self,
        run_path: str | Path,
        *,
        config: TrainConfig,
        encoder: Encoder,
        real: ValidationSlices,
    ) -> None:
        super().__init__()
        self.path = Path(run_path) / FILE
        self.folder = Path(run_path) / "checkpoint"
        self.config = config
        self.encoder = encoder
        self.real = encoder.features(real.images_suvr)
        # with fewer subjects the error is that of independent slices
        enough = len(np.unique(real.subjects)) >= 4
        self.subjects = real.subjects if enough else None
        first = FIRST_SEED + config.seed * SYNTHETIC
        self.seeds = np.arange(first, first + SYNTHETIC)
        self.looks: list[KidEvaluation] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Reads the looks of an earlier part of the run."""
        self.looks = read_evaluations(self.path)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks when it is time, and ends a training that gains no more."""
        done = epoch + 1
        # those of epochs that a resumed run repeats
        self.looks = [look for look in self.looks if look.epoch < done]
        every, last = self.config.select_every, self.config.epochs
        if done % every and done != last:
            return
        found = self._kid()
        self.looks.append(KidEvaluation(done, *found))
        if best_evaluation(self.looks).epoch == done:
            self._keep(done)
        write_evaluations(self.path, self.looks, phantom=self.config.phantom)
        if logs is not None:
            logs["val_kid"] = found.value
        patience = self.config.patience
        if (
            patience
            and evaluations_without_improvement(self.looks) >= patience
            and done < last
        ):
            self.model.stop_training = True
            status(
                f"ends after epoch {done} of {last}: no lower KID on "
                f"validation subjects in {patience} looks (patience)"
            )

    def best_network(self, model: keras.Model) -> keras.Model:
        """The generator of the best look, in float32.

        Args:
            model: The DCGAN that was trained, for its architecture.

        Raises:
            FileNotFoundError: If its weights are no longer there.
        """
        best = best_evaluation(self.looks or read_evaluations(self.path))
        path = self._best_path(best.epoch)
        if not path.is_file():
            raise FileNotFoundError(
                f"expected the best generator in {path}, found no file: go on "
                "from a copy of the run that has it, or train again under "
                "another --run"
            )
        network = float32_copy(model.sampler_network)
        with np.load(path) as kept:
            count = len(network.weights)
            network.set_weights([kept[f"weight_{i}"] for i in range(count)])
        status(
            f"the generator is that of epoch {best.epoch}: KID on validation "
            f"subjects {best.val_kid:.4f}, standard error "
            f"{best.standard_error:.4f}"
        )
        return network

    def _kid(self) -> Kid:
        images = synthetic_slices(
            self.model.sampler_network,
            self.seeds,
            suvr_max=self.config.suvr_max,
        )
        synthetic = self.encoder.features(images)
        return kid(self.real, synthetic, subjects=self.subjects)

    def _keep(self, done: int) -> None:
        weights = self.model.sampler_network.get_weights()
        arrays = {f"weight_{i}": array for i, array in enumerate(weights)}
        with replacing(self._best_path(done)) as temporary:
            np.savez(temporary, **arrays)
        wanted = {self._best_path(e) for e in _needed(self.looks, done)}
        for path in self.folder.glob("best_*.npz"):
            if path not in wanted:
                path.unlink()

    def _best_path(self, epoch: int) -> Path:
        return self.folder / f"best_{epoch:04}.npz"


def _needed(looks: list[KidEvaluation], done: int) -> list[int]:
    """Epochs that are the best so far, for any state to resume from."""
    records = [
        look.epoch
        for index, look in enumerate(looks)
        if best_evaluation(looks[: index + 1]) is look
    ]
    before = [epoch for epoch in records if epoch <= done - _KEPT]
    return before[-1:] + records[len(before) :]
