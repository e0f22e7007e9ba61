"""The best generator by KID on validation subjects, and when to stop.

The selection log, `selection.csv`, holds the KID after each evaluated epoch.
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from pet_dcgan.config import OWN, TrainConfig
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.distribution import kid
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.run import SELECTION_LOG, Run
from pet_dcgan.utils.array_files import read_arrays
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.progress import status

SYNTHETIC = 256
LEAST_SLICES = 4
# seeds that neither samples nor an evaluation begin with
FIRST_SEED = 2**40
# with fewer subjects, slices are taken as independent: a standard error needs
# three; between epochs the KID differs as it would by subject
_LEAST_SUBJECTS = 3
# a training resumes from one of the last two states, or from before an
# evaluation whose epoch it had no time to save
_KEPT = 3


class KidEvaluation(NamedTuple):
    """KID of the generator after an epoch; a row of `selection.csv`.

    Args:
        epoch: Completed epochs, from 1.
        val_kid: KID of synthetic slices and those of validation subjects.
        standard_error: Of `val_kid`, over other subjects and other images.
    """

    epoch: int
    val_kid: float
    standard_error: float


class KidSelection(keras.callbacks.Callback):
    """Evaluates the KID every few epochs and keeps the best generator.

    The images are the EMA generator's where there is one, always of the same
    `SYNTHETIC` seeds. Results go to `selection.csv`, the log's column
    `val_kid` and TensorBoard, weights of the best generator to
    `checkpoint/best_0040.npz`. The last few of these are kept, so that a
    training that resumes from an earlier state still has its best one.

    Args:
        run_path: The run's folder.
        config: `select_every`, `patience`, seed and SUVR scale.
        encoder: Trained on training slices.
        real: Slices of validation subjects `[n, size, size]` in SUVR,
            `LEAST_SLICES` or more.
        subjects: Subject of each `[n]`.
    """

    def __init__(
        self,
        run_path: str | Path,
        *,
        config: TrainConfig,
        encoder: Encoder,
        real: np.ndarray,
        subjects: np.ndarray,
    ) -> None:
        super().__init__()
        self.path = Path(run_path) / SELECTION_LOG
        self.folder = Path(run_path) / "checkpoint"
        self.config = config
        self.encoder = encoder
        self.real = encoder.features(real)
        enough = len(np.unique(subjects)) >= _LEAST_SUBJECTS
        self.subjects = subjects if enough else None
        first = FIRST_SEED + config.seed * SYNTHETIC
        self.seeds = first + np.arange(SYNTHETIC)
        # of an earlier part of the run
        self.evaluations = _read_evaluations(self.path)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Evaluates when due, and stops a training that improves no more."""
        done = epoch + 1
        # without those of epochs that a resumed run repeats
        self.evaluations = [e for e in self.evaluations if e.epoch < done]
        every, last = self.config.select_every, self.config.epochs
        if done % every and done != last:
            return
        images = synthetic_slices(
            self.model.sampler_network,
            self.seeds,
            suvr_max=self.config.suvr_max,
        )
        synthetic = self.encoder.features(images)
        found = kid(self.real, synthetic, subjects=self.subjects)
        self.evaluations.append(KidEvaluation(done, *found))
        if _best_evaluation(self.evaluations).epoch == done:
            self._keep(done)
        self._write_evaluations()
        if logs is not None:
            logs["val_kid"] = found.value
        since_best = _evaluations_without_improvement(self.evaluations)
        if 0 < self.config.patience <= since_best and done < last:
            self.model.stop_training = True
            status(
                f"stopped after epoch {done} of {last}: no lower KID on "
                f"validation subjects in {self.config.patience} evaluations "
                "(patience)"
            )

    def best_network(self, model: keras.Model) -> keras.Model:
        """The generator of the best evaluation, in float32.

        Args:
            model: The DCGAN that was trained, for its architecture.

        Raises:
            FileNotFoundError: If its weights are missing.
            ValueError: If they are damaged.
        """
        best = _best_evaluation(self.evaluations)
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
            f"{best.standard_error:.4f}"
        )
        return network

    def _write_evaluations(self) -> None:
        """Replaces `selection.csv`, with one row per evaluation."""
        phantom = str(self.config.phantom).lower()
        with (
            replacing(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*KidEvaluation._fields, "phantom"))
            # a float's repr is read back as the same number
            writer.writerows((*each, phantom) for each in self.evaluations)

    def _keep(self, done: int) -> None:
        """Writes the weights, and removes those no state can need."""
        weights = self.model.sampler_network.get_weights()
        arrays = {f"weight_{i}": array for i, array in enumerate(weights)}
        with replacing(self._best_path(done)) as temporary:
            np.savez(temporary, **arrays)
        records = [
            each.epoch
            for index, each in enumerate(self.evaluations)
            if _best_evaluation(self.evaluations[: index + 1]) is each
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


def _read_weights(path: Path, variables: Sequence) -> list[np.ndarray]:
    """The weights of a best generator, as many and of the same shapes."""
    shapes = {f"weight_{i}": tuple(v.shape) for i, v in enumerate(variables)}
    most = 4 * sum(map(math.prod, shapes.values())) + 2**20
    kept = read_arrays(path, most=most)
    found = {name: array.shape for name, array in kept.items()}
    if found != shapes or not all(np.isfinite(a).all() for a in kept.values()):
        raise ValueError(f"expected finite weights in {path}, found others")
    return [kept[name] for name in shapes]


def ended_early(run_path: str | Path, *, epoch: int, patience: int) -> bool:
    """Whether a training had been stopped early after an epoch.

    Args:
        run_path: The run's folder.
        epoch: Completed epochs.
        patience: Evaluations without improvement that end a training; 0
            never does.
    """
    evaluations = _read_evaluations(Path(run_path) / SELECTION_LOG)
    before = [each for each in evaluations if each.epoch <= epoch]
    return 0 < patience <= _evaluations_without_improvement(before)


def generator_facts(run: Run) -> dict[str, Any]:
    """Which epoch a finished run's generator is of, and why.

    Args:
        run: The run.

    Returns:
        `epoch` and `chosen_by` (`"val_kid"`, `"last epoch"`, or `"user"` where
        `train` did not train and the epoch is not known), with `val_kid` and
        `standard_error` where there are such.
    """
    if run.config.preset == OWN:
        return {"epoch": None, "chosen_by": "user"}
    best = _best_evaluation(_read_evaluations(run.path / SELECTION_LOG))
    if best is None:
        return {"epoch": _last_epoch(run), "chosen_by": "last epoch"}
    return {"chosen_by": "val_kid", **best._asdict()}


def _last_epoch(run: Run) -> int:
    """The last epoch: a callback of the user may have ended a training."""
    epochs = run.config.epochs
    try:
        last = read_table(run.path / "log.csv", ["epoch"])[-1]["epoch"]
    except (OSError, ValueError, IndexError):
        return epochs
    known = last.isdecimal() and len(last) <= len(str(epochs))
    return min(int(last), epochs) if known else epochs


def _read_evaluations(path: Path) -> list[KidEvaluation]:
    """Reads `selection.csv`; no evaluations where there is no file.

    Raises:
        ValueError: If the file is damaged.
    """
    remedy = "restore it, or train again under another --run"
    try:
        rows = read_table(path, KidEvaluation._fields)
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise ValueError(f"{error}: {remedy}") from None
    found = []
    for row in rows:
        epoch, value, spread = map(_number, map(row.get, KidEvaluation._fields))
        before = found[-1].epoch if found else 0
        counts = math.isfinite(epoch) and before < epoch == int(epoch)
        # of few images there is no standard error, which is written as nan
        named = not math.isnan(spread) or row["standard_error"] == "nan"
        if not counts or not math.isfinite(value) or not named:
            raise ValueError(
                "expected epoch, counting up, val_kid and standard_error in "
                f"every row of {path}, found "
                f"{one_line(','.join(row.values()), most=60)}: {remedy}"
            )
        found.append(KidEvaluation(int(epoch), value, spread))
    return found


def _number(text: str) -> float:
    """A number, NaN where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _best_evaluation(evaluations: list[KidEvaluation]) -> KidEvaluation | None:
    """The evaluation with the lowest KID, the first of equal ones."""
    return min(evaluations, key=lambda each: each.val_kid, default=None)


def _evaluations_without_improvement(evaluations: list[KidEvaluation]) -> int:
    """Evaluations since the best one."""
    best = _best_evaluation(evaluations)
    return len(evaluations) - 1 - evaluations.index(best) if best else 0
