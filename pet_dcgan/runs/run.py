"""A run is a folder: what it was told, who it trained on, what came out.

```
runs/<name>/
    config.json        all that is needed to run it again
    subjects.csv       columns subject, split
    log.csv            one row an epoch
    health.csv         what each look at the training's health found
    selection.csv      KID on validation subjects, where a generator is chosen
    tensorboard/  samples/  checkpoint/  encoder/
    generator.keras    written last, so its presence means "finished"
    evaluation/        report.html, metrics.json and figures
```
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.runs.run_card import run_card
from pet_dcgan.utils.files import replacing

SPLIT = "train"


class Run:
    """One training run on disk; make it with `Run.create` or `Run.open`.

    Args:
        path: The run's folder.
        config: What the run was told.
        subjects: Subjects it trains on.

    Example:
    >>> run = Run.open("runs/ad")  # doctest: +SKIP
    >>> run.load_generator().output_shape  # doctest: +SKIP
    (None, 128, 128, 1)
    """

    def __init__(
        self, path: str | Path, config: TrainConfig, subjects: Sequence[str]
    ) -> None:
        self.path = Path(path)
        self.config = config
        self.subjects = list(subjects)

    @classmethod
    def create(
        cls, path: str | Path, config: TrainConfig, subjects: Sequence[str]
    ) -> "Run":
        """Makes the folder with `config.json` and `subjects.csv`.

        Args:
            path: A folder that does not exist, or is empty.
            config: Configuration of the run.
            subjects: Subjects it trains on; repeats are dropped.

        Raises:
            FileExistsError: If the folder holds anything.
            ValueError: If there is no subject.
        """
        path = Path(path)
        require_free(path)
        run = cls(path, config, sorted(set(subjects)))
        if not run.subjects:
            raise ValueError("expected subjects to train on, found none")
        with replacing(path) as folder:
            folder.mkdir()
            _write_subjects(folder / "subjects.csv", run.subjects)
            text = config.to_json()
            (folder / "config.json").write_text(text, encoding="utf-8")
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Reads a run folder, finished or not.

        Raises:
            FileNotFoundError: If the folder or one of its files is absent.
            ValueError: If one of them does not say what it should.
        """
        path = Path(path)
        for name in ("config.json", "subjects.csv"):
            if not (path / name).is_file():
                raise FileNotFoundError(
                    f"expected a run folder, found no {path / name}: name a "
                    "folder that pet-dcgan train has made"
                )
        text = (path / "config.json").read_text(encoding="utf-8")
        try:
            config = TrainConfig.from_json(text)
        except ValueError as error:
            raise ValueError(f"{path / 'config.json'}: {error}") from error
        return cls(path, config, _read_subjects(path / "subjects.csv"))

    @property
    def finished(self) -> bool:
        """Whether the training has come to its end."""
        return self._generator.is_file()

    @property
    def evaluation(self) -> Path:
        """Folder of `report.html` and `metrics.json`; it need not exist."""
        return self.path / "evaluation"

    def load_generator(self) -> keras.Model:
        """The trained generator, `latent` to `image` in [-1, 1].

        Raises:
            FileNotFoundError: If the training has not come to its end.
            ValueError: If the file is damaged.
        """
        if not self.finished:
            raise FileNotFoundError(
                f"expected a finished run, found no {self._generator}: go on "
                f"with pet-dcgan train --run {self.path} --resume"
            )
        # keras reports a damaged archive as any of these
        try:
            return keras.models.load_model(self._generator, compile=False)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(
                f"expected a generator in {self._generator}, found a damaged "
                "file: train again under another --run"
            ) from error

    def save_generator(self, model: keras.Model) -> None:
        """Writes `generator.keras`, which marks the run as finished.

        Args:
            model: Of any precision; the file holds it in float32.
        """
        with replacing(self._generator) as temporary:
            float32_copy(model).save(temporary)

    def metrics(self) -> dict[str, Any]:
        """What `pet-dcgan evaluate` wrote to `evaluation/metrics.json`.

        Raises:
            FileNotFoundError: If the run has not been evaluated.
            ValueError: If the file is no JSON object.
        """
        path = self.evaluation / "metrics.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"expected an evaluated run, found no {path}: run pet-dcgan "
                f"evaluate {self.path}"
            )
        try:
            metrics = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(
                f"expected JSON in {path}, found: {error}: run pet-dcgan "
                f"evaluate {self.path} again"
            ) from error
        if not isinstance(metrics, dict):
            raise ValueError(
                f"expected a JSON object in {path}, found "
                f"{type(metrics).__name__}: run pet-dcgan evaluate "
                f"{self.path} again"
            )
        return metrics

    def _repr_html_(self) -> str:
        """Shows the run in a notebook, without naming a subject."""
        return run_card(
            self.path,
            self.config,
            subjects=len(self.subjects),
            finished=self.finished,
            evaluated=(self.evaluation / "metrics.json").is_file(),
        )

    @property
    def _generator(self) -> Path:
        return self.path / "generator.keras"


def require_free(path: Path) -> None:
    """Refuses a folder for a new run that holds anything.

    Raises:
        FileExistsError: If it does, with what to do.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(
            f"expected {path} to be free for a new run, found an earlier run "
            "or other files: go on with --resume, or choose another --run"
        )


def _write_subjects(path: Path, subjects: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("subject", "split"))
        writer.writerows((subject, SPLIT) for subject in subjects)


def _read_subjects(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    subjects = [row.get("subject") for row in rows]
    if not subjects or not all(subjects):
        raise ValueError(
            f"expected columns subject,split and a row a subject in {path}, "
            "found none: restore the file or train again"
        )
    return subjects
