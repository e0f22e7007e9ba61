"""The best generator by KID and suspected copies, and when to stop."""

import math
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.centring import centred_images
from pet_dcgan.metrics.distribution import Kid, kid
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.selection_log import (
    KidEvaluation,
    best_evaluation,
    read_evaluations,
    without_improvement,
    write_evaluations,
)
from pet_dcgan.training.suspected_copies import SuspectedCopies
from pet_dcgan.utils.array_files import read_arrays
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.progress import status

SYNTHETIC = 256
# a volume takes a megabyte, and the encoder looks at three cuts of it
SYNTHETIC_VOLUMES = 64
LEAST_SLICES = 4
# seeds that neither samples nor an evaluation begin with
FIRST_SEED = 2**40
# with fewer subjects, slices are taken as independent: a standard error needs
# three; between epochs the KID differs as it would by subject
_LEAST_SUBJECTS = 3
# a training resumes from one of the last two states, or from before an
# evaluation whose epoch it had no time to save
_KEPT = 3


class KidSelection(keras.callbacks.Callback):
    """Evaluates every few epochs and keeps the best generator.

    The best has the lowest KID plus suspected copies. The images are the EMA
    generator's where there is one, always of the same `SYNTHETIC` seeds, of
    volumes `SYNTHETIC_VOLUMES`. The KID of a conditional generator is the mean
    over stages and planes (of volumes, over stages), each of images asked for
    them, once its conditions count in full.
    Results go to `selection.csv`, the KID alone to the log's column `val_kid`
    and TensorBoard, weights of the best generator to
    `checkpoint/best_0040.npz`. The last few of these are kept, so that a
    training that resumes from an earlier state still has its best one.

    Args:
        run_path: The run's folder.
        config: `select_every`, `patience`, seed and SUVR scale.
        encoder: Trained on training slices, or on volumes.
        real: Slices of validation subjects `[n, size, size]` in SUVR, or
            volumes `[n, size, size, size]`, `LEAST_SLICES` or more.
        subjects: Subject of each `[n]`.
        shown: Stage and plane of each, text `[n, 2]`, for a conditional
            generator.
        copies: Finds those of training slices.
    """

    def __init__(
        self,
        run_path: str | Path,
        *,
        config: TrainConfig,
        encoder: Encoder,
        real: np.ndarray,
        subjects: np.ndarray,
        copies: SuspectedCopies,
        shown: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.run_path = run_path
        self.folder = Path(run_path) / "checkpoint"
        self.config = config
        self.encoder = encoder
        self.copies = copies
        self.real = encoder.features(real)
        enough = len(np.unique(subjects)) >= _LEAST_SUBJECTS
        self.subjects = np.asarray(subjects) if enough else None
        self.groups = enough_slices(shown, len(real))
        first = FIRST_SEED + config.seed * SYNTHETIC
        count = SYNTHETIC_VOLUMES if np.ndim(real) == 4 else SYNTHETIC
        self.seeds = first + np.arange(count)
        # of an earlier part of the run
        self.evaluations = read_evaluations(run_path)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Evaluates when due, and stops a training that improves no more."""
        done = epoch + 1
        # without those of epochs that a resumed run repeats
        self.evaluations = [e for e in self.evaluations if e.epoch < done]
        every, last = self.config.select_every, self.config.epochs
        # what is asked for has no effect yet
        early = float(getattr(self.model, "label_weight", 1.0)) < 1.0
        if (done % every or early) and done != last:
            return
        found, drawn = self._measure(self.model.sampler_network)
        suspects = self.copies.excess(drawn)
        self.evaluations.append(KidEvaluation(done, *found, suspects))
        if best_evaluation(self.evaluations).epoch == done:
            self._keep(done)
        write_evaluations(
            self.run_path, self.evaluations, phantom=self.config.phantom
        )
        if logs is not None:
            logs["val_kid"] = found.value
        since_best = without_improvement(self.evaluations)
        if 0 < self.config.patience <= since_best and done < last:
            self.model.stop_training = True
            status(
                f"stopped after epoch {done} of {last}: no lower sum of KID "
                "on validation subjects and suspected copies in "
                f"{self.config.patience} evaluations (patience)"
            )

    def _measure(self, network: keras.Model) -> tuple[Kid, np.ndarray]:
        """The KID, mean over groups, and its images, `centred_images`."""
        found, drawn = [], []
        for (stage, plane), rows in self.groups.items():
            wanted = network
            if stage:
                wanted = asked(network, stage=stage, plane=plane)
            images = synthetic_slices(
                wanted, self.seeds, suvr_max=self.config.suvr_max
            )
            features = self.encoder.features(images)
            subjects = self._subjects_of(rows)
            found.append(kid(self.real[rows], features, subjects=subjects))
            drawn.append(centred_images(images))
        count = len(found)
        # subjects are in several planes, so errors do not simply average out
        error = math.sqrt(sum(e.standard_error**2 for e in found) / count)
        value = sum(each.value for each in found) / count
        return Kid(value, error), np.concatenate(drawn)

    def _subjects_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Subject of each row, if there are enough."""
        if self.subjects is None:
            return None
        found = self.subjects[rows]
        return found if len(np.unique(found)) >= _LEAST_SUBJECTS else None

    def best_network(self, model: keras.Model) -> keras.Model:
        """The generator of the best evaluation, in float32.

        Args:
            model: The DCGAN that was trained, for its architecture.

        Raises:
            FileNotFoundError: If its weights are missing.
            ValueError: If they are damaged.
        """
        best = best_evaluation(self.evaluations)
        path = self._best_path(best.epoch)
        network = float32_copy(model.sampler_network)
        remedy = (
            "resume from a copy of the run that has it, or train again under "
            "another --run"
        )
        try:
            network.set_weights(_read_weights(path, network.weights))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"the best generator is missing, {path}: {remedy}"
            ) from None
        except ValueError as error:
            raise ValueError(
                f"the best generator is damaged: {error}: {remedy}"
            ) from None
        status(
            f"kept the generator of epoch {best.epoch}: KID on validation "
            f"subjects {best.val_kid:.4f}, standard error "
            f"{best.standard_error:.4f}, excess of suspected copies "
            f"{100 * best.suspects:.1f} %"
        )
        return network

    def _keep(self, done: int) -> None:
        """Writes the weights, and removes those no state can need."""
        weights = self.model.sampler_network.get_weights()
        arrays = {f"weight_{i}": array for i, array in enumerate(weights)}
        with replacing(self._best_path(done)) as temporary:
            np.savez(temporary, **arrays)
        records = [
            each.epoch
            for index, each in enumerate(self.evaluations)
            if best_evaluation(self.evaluations[: index + 1]) is each
        ]
        before = [epoch for epoch in records if epoch <= done - _KEPT]
        needed = before[-1:] + records[len(before) :]
        wanted = {self._best_path(epoch) for epoch in needed}
        for path in self.folder.glob("best_*.npz"):
            if path not in wanted:
                path.unlink()

    def _best_path(self, epoch: int) -> Path:
        """Where the weights of a best generator go."""
        return self.folder / f"best_{epoch:04}.npz"


def enough_slices(
    shown: np.ndarray | None, count: int
) -> dict[tuple[str, str], np.ndarray]:
    """The slices of each stage and plane that a KID can be measured by.

    Args:
        shown: Stage and plane of each slice, text `[n, 2]`; None where all
            are of one.
        count: Number of slices.

    Returns:
        Rows int64 `[m]` by stage and plane, `LEAST_SLICES` or more; perhaps
        of none.
    """
    found = {("", ""): np.arange(count)}
    if shown is not None:
        found = {
            (str(stage), str(plane)): np.flatnonzero(
                (shown == (stage, plane)).all(axis=1)
            )
            for stage, plane in np.unique(shown, axis=0)
        }
    return {at: rows for at, rows in found.items() if len(rows) >= LEAST_SLICES}


def _read_weights(path: Path, variables: Sequence) -> list[np.ndarray]:
    """The weights of a best generator, as many and of the same shapes."""
    shapes = {f"weight_{i}": tuple(v.shape) for i, v in enumerate(variables)}
    most = 4 * sum(map(math.prod, shapes.values())) + 2**20
    kept = read_arrays(path, most=most)
    found = {name: array.shape for name, array in kept.items()}
    if found != shapes or not all(np.isfinite(a).all() for a in kept.values()):
        raise ValueError(f"expected finite weights in {path}, found others")
    return [kept[name] for name in shapes]
