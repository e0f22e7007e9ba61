"""A run is a folder: its configuration, who it trained on, what came out.

```
runs/<name>/
    config.json        all that is needed to run it again
    subjects.csv       columns subject, split
    log.csv            one row per epoch
    health.csv         what each check of the training's health found
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
from pet_dcgan.runs.selection_log import FILE, best_evaluation, read_evaluations
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.templates import render

SPLIT = "train"


class Run:
    """One training run on disk; make it with `Run.create` or `Run.open`.

    Args:
        path: The run's folder.
        config: The run's configuration.
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
        self.evaluation = self.path / "evaluation"  # it need not exist
        self._generator = self.path / "generator.keras"

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
            with (folder / "subjects.csv").open("w", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(("subject", "split"))
                writer.writerows((each, SPLIT) for each in run.subjects)
            text = config.to_json()
            (folder / "config.json").write_text(text, encoding="utf-8")
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Reads a run folder, finished or not.

        Raises:
            FileNotFoundError: If the folder or one of its files is absent.
            ValueError: If one of them is damaged.
        """
        path = Path(path)
        for name in ("config.json", "subjects.csv"):
            if not (path / name).is_file():
                raise FileNotFoundError(
                    f"expected a run folder, found no {path / name}: name a "
                    "folder made by pet-dcgan train"
                )
        text = (path / "config.json").read_text(encoding="utf-8")
        try:
            config = TrainConfig.from_json(text)
        except ValueError as error:
            raise ValueError(f"{path / 'config.json'}: {error}") from error
        return cls(path, config, _read_subjects(path / "subjects.csv"))

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
                f"with pet-dcgan train --run {self.path} --resume"
            )
        # Keras reports a damaged archive as any of these
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
        remedy = f"run pet-dcgan evaluate {self.path}"
        if not path.is_file():
            raise FileNotFoundError(
                f"expected an evaluated run, found no {path}: {remedy}"
            )
        try:
            metrics = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(
                f"expected JSON in {path}, found: {error}: {remedy} again"
            ) from error
        if not isinstance(metrics, dict):
            raise ValueError(
                f"expected a JSON object in {path}, found "
                f"{type(metrics).__name__}: {remedy} again"
            )
        return metrics

    def _repr_html_(self) -> str:
        """Shows the run in a notebook, without naming a subject.

        A file that is missing or damaged is left out; nothing is raised.
        """
        config = self.config
        state = "not finished: go on with train(..., resume=True)"
        if self.finished:
            evaluated = (self.evaluation / "metrics.json").is_file()
            state = f"finished, {'' if evaluated else 'not '}evaluated"
        last = _last_row(self.path / "log.csv")
        lines = [
            ("folder", self.path),
            ("preset", config.preset),
            (
                "data set",
                f"{config.dataset}, {config.size} x {config.size} pixels",
            ),
            ("training subjects", len(self.subjects)),
            ("epochs", f"{last.get('epoch', 0)} of {config.epochs}"),
            ("state", state),
            *_losses(last),
            *_best_evaluation(self.path / FILE),
        ]
        return render(
            "utils/card.html",
            title=f"Run: {config.stage}, {config.plane}",
            phantom=config.phantom,
            facts=lines,
            picture=_latest_sheet(self.path / "samples"),
        )


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


def _read_subjects(path: Path) -> list[str]:
    """The subjects of `subjects.csv`, at least one."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    subjects = [row.get("subject") for row in rows]
    if not subjects or not all(subjects):
        raise ValueError(
            f"expected columns subject,split and one row per subject in "
            f"{path}, found none: restore the file or train again"
        )
    return subjects


def _last_row(path: Path) -> dict[str, str]:
    """The last row of a log, empty where there is none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{}, *csv.DictReader(file)][-1]
    except (OSError, ValueError, csv.Error):
        return {}


def _losses(row: dict[str, str]) -> list[tuple[str, str]]:
    """The losses of an epoch, where its row has them."""
    try:
        found = [f"{n} {float(row[n]):.2f}" for n in ("d_loss", "g_loss")]
    except (KeyError, TypeError, ValueError):
        return []
    return [("last losses", ", ".join(found))]


def _best_evaluation(path: Path) -> list[tuple[str, str]]:
    """The best KID, where generators are chosen by it."""
    try:
        best = best_evaluation(read_evaluations(path))
    except (OSError, ValueError):
        best = None
    if best is None:
        return []
    kid = f"{best.val_kid:.3f} ± {best.standard_error:.3f}"
    return [("best on validation", f"epoch {best.epoch}, KID {kid}")]


def _latest_sheet(folder: Path) -> tuple[str, bytes]:
    """Name and bytes of the latest sheet of samples, empty if there is none."""
    sheets = sorted(folder.glob("epoch_*.png"))
    try:
        return f"samples, {sheets[-1].stem}", sheets[-1].read_bytes()
    except (IndexError, OSError):
        return "", b""
