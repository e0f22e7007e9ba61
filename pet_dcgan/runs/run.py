"""A run folder: configuration, training subjects, logs and results.

```
runs/<name>/
    config.json        all that is needed to run it again
    subjects.csv       columns subject, split: who it trains on, and who it is
                       measured by where these are not the set's own
    networks.json      what the user's own networks are built from, if any are
    conditions.json    what a conditional generator is asked for, and ranges
    SHA256SUMS         checksums of these, which never change
    log.csv            one row per epoch
    health.csv         what each check of the training's health found
    selection.csv      what a generator is chosen by, where one is
    tensorboard/  samples/  checkpoint/  encoder/
    generator.keras    written last, so its presence means "finished"
    evaluation/        report.html, metrics.json, their SHA256SUMS, figures
```
"""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.features.volume_encoder import (
    VolumeEncoder,
    train_volume_encoder,
)
from pet_dcgan.references import RecipeError
from pet_dcgan.runs.absent_run import absent_run, finishing
from pet_dcgan.runs.fixed_files import (
    GENERATOR,
    RunFacts,
    new_folder,
    read_facts,
)
from pet_dcgan.runs.generator_file import read_generator, write_generator
from pet_dcgan.runs.metrics_shape import require_metrics
from pet_dcgan.runs.model_run import model_run
from pet_dcgan.runs.run_card import run_card
from pet_dcgan.utils.checksums import require_unchanged
from pet_dcgan.utils.foreign_text import read_object
from pet_dcgan.utils.meant import as_typed
from pet_dcgan.utils.progress import status

_ENCODER_BYTES = 2**28  # of the slices that an encoder is trained on


class Run:
    """One training run on disk; make it with `Run.create` or `Run.open`.

    Args:
        path: The run's folder.
        config: The run's configuration.
        subjects: Subjects it trains on.
        validation: Subjects that its generator is measured and chosen by, if
            these are not the set's own validation subjects.
        networks: Descriptions of the networks that are the user's own, by
            role.
        conditions: What its generator is asked for, if for anything.

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
        networks: Mapping[str, dict[str, Any]] | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        self.path = Path(path)
        self.config = config
        self.subjects = list(subjects)
        self.validation = list(validation)
        self.networks = dict(networks or {})
        self.conditions = conditions
        self.evaluation = self.path / "evaluation"  # it need not exist
        self._generator = self.path / GENERATOR

    @classmethod
    def create(
        cls,
        path: str | Path,
        config: TrainConfig,
        subjects: Collection[str],
        validation: Collection[str] = (),
        networks: Mapping[str, dict[str, Any]] | None = None,
        conditions: Conditions | None = None,
    ) -> "Run":
        """Makes the folder with `config.json` and `subjects.csv`.

        Args:
            path: A folder that does not exist, or is empty.
            config: Configuration of the run.
            subjects: Subjects it trains on; repeats are dropped.
            validation: Subjects it is measured by, if not the set's own.
            networks: Descriptions of own networks by role, from
                `pet_dcgan.models.network_config.describe`.
            conditions: What its generator is asked for, if for anything.

        Raises:
            FileExistsError: If the folder holds anything.
            ValueError: If there is no subject.
        """
        people = sorted(set(subjects)), sorted(set(validation))
        if not people[0]:
            raise ValueError("expected subjects to train on, found none")
        facts = RunFacts(config, *people, networks or {}, conditions)
        with new_folder(Path(path), facts):
            pass
        return cls(path, *facts)

    @classmethod
    def of_model(
        cls,
        path: str | Path,
        model: keras.Model,
        slices: Slices,
        *,
        validation: Collection[str] = (),
    ) -> "Run":
        """Makes a finished run of a model that `train` has not trained.

        Then `evaluate` and `export` take it. Settings that the model itself
        does not show are not known, and stay so: `config.json` has `null` for
        them, the report and the model card say it.

        Args:
            path: A folder that does not exist, or is empty.
            model: A `DCGAN`, or a generator from latents to images in
                [-1, 1]; functional or Sequential.
            slices: What it was trained on, all of it.
            validation: Subjects that it was measured or chosen by, if not
                those of the set.

        Raises:
            DataLeakageError: If a subject is held out in the set, or the model
                was fitted to one that is not in `slices`.
            FileExistsError: If the folder holds anything.
            TypeError: If `slices` are none, or `validation` is one text.
            ValueError: If the generator does not fit the slices, cannot be
                described, or has weights that are not finite.

        Example:
        >>> run = Run.of_model("runs/own", model, slices)  # doctest: +SKIP
        """
        facts, write = model_run(model, slices, validation)
        with new_folder(Path(path), facts) as folder:
            write(folder)
        return cls(path, *facts)

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
            facts = read_facts(path)
        except FileNotFoundError as error:
            raise absent_run(path, error.filename) from None
        except RecipeError:
            raise
        except ValueError as error:
            raise ValueError(f"{error}: restore it or train again") from None
        return cls(path, *facts)

    @property
    def finished(self) -> bool:
        """Whether the training has ended and left its generator."""
        return self._generator.is_file()

    def load_generator(self) -> keras.Model:
        """The trained generator, `latent` to `image` in [-1, 1].

        A conditional one takes a dictionary; `pet_dcgan.asked` makes of it a
        generator of one stage, plane and position.

        Raises:
            FileNotFoundError: If the run is not finished.
            ValueError: If the file is damaged, or the network is the user's
                own and its layers are not known to Keras.
        """
        if not self.finished:
            raise FileNotFoundError(
                f"expected a finished run, found no {self._generator}: "
                f"{finishing(self.config, self.path)}"
            )
        return read_generator(
            self._generator,
            self.config,
            self.networks.get("generator"),
            conditions=self.conditions,
        )

    def save_generator(self, model: keras.Model) -> None:
        """Writes `generator.keras`, which marks the run as finished.

        Args:
            model: Of any precision; the file holds it in float32.
        """
        write_generator(self._generator, model)

    def encoder(self, slices: Slices) -> Encoder:
        """The run's encoder, trained and saved when first needed.

        A damaged one is made again, with a line on stderr. Of very many
        slices or volumes, as many as fit into 256 MB are used, evenly over the
        subjects.

        Args:
            slices: The run's training slices; of volumes a `VolumeEncoder` is
                trained.

        Raises:
            RecipeError: If it learned from slices of another recipe.
        """
        folder = self.path / "encoder"
        kind = VolumeEncoder if slices.meta.is_volume else Encoder
        try:
            return kind.load(folder)
        except FileNotFoundError:
            pass
        except RecipeError:
            raise
        except ValueError as error:
            status(str(error))
        encoder = _trained_encoder(slices, self.config.seed)
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


def _trained_encoder(slices: Slices, seed: int) -> Encoder:
    """An encoder of training slices or volumes, of as many as its memory."""
    count, *sides = slices.images.shape
    most = min(count, _ENCODER_BYTES // (4 * math.prod(sides)))
    chosen = np.linspace(0, count - 1, most).round().astype(np.int64)
    images = suvr_from_png(slices.images[chosen], slices.meta.suvr_max)
    subjects = slices.subjects[chosen]
    if slices.meta.is_volume:
        return train_volume_encoder(images, subjects=subjects, seed=seed)
    return train_encoder(
        images,
        positions_mm=slices.positions_mm[chosen],
        subjects=subjects,
        seed=seed,
    )
