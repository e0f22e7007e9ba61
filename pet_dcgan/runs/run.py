"""A run folder: configuration, training subjects, logs and results.

```
runs/<name>/
    config.json        all that is needed to run it again
    subjects.csv       columns subject, split: who it trains on, and who it is
                       measured by where these are not the set's own
    SHA256SUMS         checksums of these two, which never change
    log.csv            one row per epoch
    health.csv         what each check of the training's health found
    selection.csv      KID on validation subjects, where a generator is chosen
    tensorboard/  samples/  checkpoint/  encoder/
    generator.keras    written last, so its presence means "finished"
    evaluation/        report.html, metrics.json, their SHA256SUMS, figures
```
"""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.references import RecipeError
from pet_dcgan.runs.absent_run import absent_run, is_run, resume_command
from pet_dcgan.runs.generator_file import read_generator, write_generator
from pet_dcgan.runs.metrics_shape import require_metrics
from pet_dcgan.runs.run_card import SELECTION_LOG as SELECTION_LOG
from pet_dcgan.runs.run_card import run_card
from pet_dcgan.utils.checksums import require_unchanged, write_checksums
from pet_dcgan.utils.files import replacing, sweep_beside
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.foreign_text import MOST_BYTES, read_object
from pet_dcgan.utils.locks import is_free, move_lock, working_in
from pet_dcgan.utils.meant import as_typed
from pet_dcgan.utils.progress import status

SPLIT = "train"
_GENERATOR = "generator.keras"
_HELD_OUT = "validation"
_FIXED = ("config.json", "subjects.csv")
_ENCODER_BYTES = 2**28  # of the slices that an encoder is trained on


class Run:
    """One training run on disk; make it with `Run.create` or `Run.open`.

    Args:
        path: The run's folder.
        config: The run's configuration.
        subjects: Subjects it trains on.
        validation: Subjects that its generator is measured and chosen by, if
            these are not the set's own validation subjects.

    Example:
    >>> run = Run.open("runs/ad")  # doctest: +SKIP
    >>> run.load_generator().output_shape  # doctest: +SKIP
    (None, 128, 128, 1)
    """

    def __init__(
        self,
        path: str | Path,
        config: TrainConfig,
        subjects: Sequence[str],
        validation: Sequence[str] = (),
    ) -> None:
        self.path = Path(path)
        self.config = config
        self.subjects = list(subjects)
        self.validation = list(validation)
        self.evaluation = self.path / "evaluation"  # it need not exist
        self._generator = self.path / _GENERATOR

    @classmethod
    def create(
        cls,
        path: str | Path,
        config: TrainConfig,
        subjects: Collection[str],
        validation: Collection[str] = (),
    ) -> "Run":
        """Makes the folder with `config.json` and `subjects.csv`.

        Args:
            path: A folder that does not exist, or is empty.
            config: Configuration of the run.
            subjects: Subjects it trains on; repeats are dropped.
            validation: Subjects it is measured by, if not the set's own.

        Raises:
            FileExistsError: If the folder holds anything.
            ValueError: If there is no subject.
        """
        path = Path(path)
        run = cls(path, config, sorted(set(subjects)), sorted(set(validation)))
        if not run.subjects:
            raise ValueError("expected subjects to train on, found none")
        require_free(path)
        with working_in(path, "train"), replacing(path) as folder:
            require_free(path)  # it may have been made meanwhile
            sweep_beside(path)
            folder.mkdir()
            with (folder / "subjects.csv").open("w", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(("subject", "split"))
                writer.writerows((each, SPLIT) for each in run.subjects)
                writer.writerows((each, _HELD_OUT) for each in run.validation)
            text = config.to_json()
            (folder / "config.json").write_text(text, encoding="utf-8")
            write_checksums(folder, _FIXED)
            move_lock(path, folder)
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Reads a run folder, finished or not.

        Raises:
            FileNotFoundError: If the folder or one of its files is absent.
            RecipeError: If its slices were made by another recipe.
            ValueError: If one of them is damaged.
        """
        path = Path(path)
        try:
            config, *subjects = _read_config(path), *_read_subjects(path)
            require_unchanged(path, _FIXED)
        except FileNotFoundError as error:
            raise absent_run(path, error.filename) from None
        except RecipeError:
            raise
        except ValueError as error:
            raise ValueError(f"{error}: restore it or train again") from None
        return cls(path, config, *subjects)

    @property
    def finished(self) -> bool:
        """Whether the training has ended and left its generator."""
        return self._generator.is_file()

    def load_generator(self) -> keras.Model:
        """The trained generator, `latent` to `image` in [-1, 1].

        Raises:
            FileNotFoundError: If the run is not finished.
            ValueError: If the file is damaged.
        """
        if not self.finished:
            raise FileNotFoundError(
                f"expected a finished run, found no {self._generator}: go on "
                f"with {resume_command(self.config, self.path)}"
            )
        return read_generator(self._generator, self.config)

    def save_generator(self, model: keras.Model) -> None:
        """Writes `generator.keras`, which marks the run as finished.

        Args:
            model: Of any precision; the file holds it in float32.
        """
        write_generator(self._generator, model)

    def encoder(self, slices: Slices) -> Encoder:
        """The run's encoder, trained and saved when first needed.

        A damaged one is made again, with a line on stderr. Of very many
        slices, as many as fit into 256 MB are used, evenly over the subjects.

        Args:
            slices: The run's training slices.

        Raises:
            RecipeError: If it learned from slices of another recipe.
        """
        folder = self.path / "encoder"
        try:
            return Encoder.load(folder)
        except FileNotFoundError:
            pass
        except RecipeError:
            raise
        except ValueError as error:
            status(str(error))
        count, height, width = slices.images.shape
        most = min(count, _ENCODER_BYTES // (4 * height * width))
        chosen = np.linspace(0, count - 1, most).round().astype(np.int64)
        images = np.asarray(slices.images[chosen])
        encoder = train_encoder(
            suvr_from_png(images, slices.meta.suvr_max),
            positions_mm=slices.positions_mm[chosen],
            subjects=slices.subjects[chosen],
            seed=self.config.seed,
        )
        encoder.save(folder)
        return encoder

    def metrics(self) -> dict[str, Any]:
        """What `pet-dcgan evaluate` wrote to `evaluation/metrics.json`.

        Raises:
            FileNotFoundError: If the run has not been evaluated.
            ValueError: If the file is damaged, or of another shape.
        """
        path = self.evaluation / "metrics.json"
        remedy = f"run pet-dcgan evaluate {as_typed(self.path)}"
        try:
            metrics = read_object(path)
            require_unchanged(self.evaluation, [path.name])
            require_metrics(metrics, source=str(path))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"expected an evaluated run, found no {path}: {remedy}"
            ) from None
        except ValueError as error:
            raise ValueError(f"{error}: {remedy} again") from None
        return metrics

    def _repr_html_(self) -> str:
        """Shows the run in a notebook, without naming a subject.

        A file that is missing or damaged is left out; nothing is raised.
        """
        return run_card(self)


def require_free(path: Path) -> None:
    """Refuses a folder for a new run that holds anything.

    Raises:
        FileExistsError: If it does, with what to do.
    """
    if is_free(path):
        return
    found, remedy = "other files", ""
    if is_run(path):
        finished = (path / _GENERATOR).is_file()
        found = "a finished run" if finished else "an unfinished run"
        remedy = "" if finished else "go on with --resume, or "
    raise FileExistsError(
        f"expected {path} to be free for a new run, found {found}: {remedy}"
        "choose another --run"
    )


def _read_config(folder: Path) -> TrainConfig:
    """The configuration of a run."""
    path = folder / "config.json"
    content = read_bytes(path, most=MOST_BYTES)
    try:
        return TrainConfig.from_json(content, source=str(path))
    except RecipeError as error:
        raise RecipeError(f"{folder}: {error}") from None
    except ValueError as error:
        named = "" if str(path) in str(error) else f"{path}: "
        raise ValueError(f"{named}{error}") from None


def _read_subjects(folder: Path) -> tuple[list[str], list[str]]:
    """Training subjects, at least one, and validation subjects of a run."""
    path = folder / "subjects.csv"
    rows = read_table(path, ["subject", "split"])
    parts = {SPLIT: [], _HELD_OUT: []}
    for row in rows:
        parts.get(row["split"], []).append(row["subject"])
    found = parts[SPLIT] + parts[_HELD_OUT]
    whole = len(found) == len(rows) and len(set(found)) == len(found)
    if not parts[SPLIT] or not whole or not all(found):
        raise ValueError(
            f"expected one row per subject in {path}, of {SPLIT} or "
            f"{_HELD_OUT}, found another"
        )
    return parts[SPLIT], parts[_HELD_OUT]
