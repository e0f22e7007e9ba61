"""The whole study, and its folder, which is complete after each classifier.

```
OUT/
    settings.json    its settings
    generators/      the runs it trained, <stage>_<plane>_<fraction>
    predictions/     one file per classifier: subject, stage, probabilities
    results.csv      one row per classifier; its last column says partial
    study.json       arms, differences, intervals, conclusions
    study.png        the same as a figure
```

Generators are trained on the subjects of their fraction alone. Classifiers
are tested on subjects that neither they nor a generator have seen, and nothing
is selected by these.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pet_dcgan.runs.run import Run
from pet_dcgan.study.classifiers import (
    Cell,
    study_cells,
    train_and_predict,
    uniform_predictions,
)
from pet_dcgan.study.generators import (
    GeneratorSpec,
    assign_runs,
    describe,
    generator_specs,
    train_generator,
    training_config,
)
from pet_dcgan.study.report import save_figure, summarise
from pet_dcgan.study.settings import StudyData, StudySettings, load_study_data
from pet_dcgan.study.statistics import METRICS, Predictions
from pet_dcgan.utils.files import replacing

_COLUMNS = (
    *("fraction", "seed", "arm"),
    *("training_subjects", "real_images", "synthetic_images"),
    *("judged_subjects", *METRICS, "phantom", "study"),
)
_MOVABLE = ("data_dir",)

Advance = Callable[[int, int], None]
Progress = Callable[[str], contextlib.AbstractContextManager[Advance]]


@contextlib.contextmanager
def _silent(label: str) -> Iterator[Advance]:
    """Shows no progress."""
    yield lambda done, total: None


def run_study(
    settings: StudySettings,
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    resume: bool = False,
    verbose: str | int = 0,
    status: Callable[[str], None] = lambda line: None,
    progress: Progress = _silent,
) -> dict[str, Any]:
    """Trains every classifier that is not finished, and summarises all.

    A study can be stopped at any time and resumed.

    Args:
        settings: What is compared.
        out: Folder of the study.
        runs: Finished runs to use where they fit; all others are trained.
        resume: Whether to continue the study in `out`.
        verbose: Keras's progress while generators are trained.
        status: Called with a line before each generator.
        progress: Called with a label; a context whose value is called with
            the number of finished classifiers and of all.

    Returns:
        The content of `study.json`.

    Raises:
        DataLeakageError: If a split or a generator shares subjects that it
            must not.
        FileExistsError: If `out` is in use.
        FileNotFoundError: If there is no such set, run or study.
        ValueError: If data, runs and settings do not fit, or a generator
            produces no images.
    """
    data = load_study_data(settings)
    given = assign_runs([Run.open(p) for p in runs], settings, data)
    missing = [s for s in generator_specs(settings) if s not in given]
    for spec in missing:  # fails now, not hours later
        training_config(spec, settings, data)
    folder = _Folder(out, settings.classes)
    paths = {"runs": sorted(str(Path(path).resolve()) for path in runs)}
    folder.claim(settings.to_dict() | paths, resume=resume)
    study = _Study(settings, data, folder, given)
    try:
        study.classify(with_generators=False, progress=progress)
        for number, spec in enumerate(missing, 1):
            status(f"generator {number} of {len(missing)}: {spec}")
            home = folder.path / "generators"
            study.generators[spec] = train_generator(
                spec, home, settings, data, verbose=verbose
            )
        study.classify(with_generators=True, progress=progress)
    finally:
        summary = study.summary()
        folder.write_summary(summary)
        if study.predictions:
            save_figure(folder.path / "study.png", summary)
    return summary


class _Study:
    """A study in progress."""

    def __init__(
        self,
        settings: StudySettings,
        data: StudyData,
        folder: "_Folder",
        given: dict[GeneratorSpec, Run],
    ) -> None:
        self.settings, self.data, self.folder = settings, data, folder
        self.given, self.generators = given, dict(given)
        self.cells = study_cells(settings)
        blank = uniform_predictions(data.test, len(settings.classes))
        found = {
            c: folder.read_predictions(c, expected=blank) for c in self.cells
        }
        self.predictions = {c: p for c, p in found.items() if p}

    def classify(self, *, with_generators: bool, progress: Progress) -> None:
        """Trains the classifiers that are not finished."""
        own = [c for c in self.cells if c.needs_synthetic == with_generators]
        label = "classifiers " + ("with" if with_generators else "without")
        with progress(f"{label} synthetic images") as advance:
            for done, cell in enumerate(own):
                if cell in self.predictions:
                    continue
                advance(done, len(own))
                found = train_and_predict(
                    cell,
                    settings=self.settings,
                    data=self.data,
                    generators=self.generators,
                )
                self.folder.write_predictions(cell, found)
                self.predictions[cell] = found
                self.folder.write_summary(self.summary())
                advance(done + 1, len(own))

    def summary(self) -> dict[str, Any]:
        """Everything found so far."""
        return summarise(
            self.settings,
            self.data,
            self.predictions,
            cells=self.cells,
            generators=[
                describe(run, spec, given=spec in self.given)
                for spec, run in sorted(self.generators.items())
            ],
        )


class _Folder:
    """The study on disk, with its classes in the order of the labels."""

    def __init__(self, path: str | Path, classes: tuple[str, ...]) -> None:
        self.path = Path(path)
        self.classes = classes

    def claim(self, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Takes a free folder, or that of the same study to resume."""
        file = self.path / "settings.json"
        if resume:
            self._require_same(file, settings)
            return
        path = self.path
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FileExistsError(
                f"{path} already holds a study or other files: continue with "
                "--resume, or choose another --out"
            )
        _write_json(file, settings)

    def _require_same(self, file: Path, settings: Mapping[str, Any]) -> None:
        """Raises unless the study in this folder has the same settings."""
        if not file.is_file():
            raise FileNotFoundError(
                f"no study to resume, {file} does not exist: leave out --resume"
            )
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
            changed = [
                f"{name} {value} instead of {before[name]}"
                for name, value in settings.items()
                if name not in _MOVABLE and before[name] != value
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected a study's settings in {file}, found {error!r}: "
                "choose another --out"
            ) from error
        if changed:
            raise ValueError(
                f"expected the settings of {self.path}, found "
                f"{', '.join(changed)}: resume with the original options"
            )

    def predictions_file(self, cell: Cell) -> Path:
        """The predictions of one classifier."""
        name = f"{cell.fraction:03}_{cell.arm}_{cell.seed}.csv"
        return self.path / "predictions" / name

    def write_predictions(self, cell: Cell, found: Predictions) -> None:
        """Writes the predictions of a classifier."""
        table = pd.DataFrame(found.probabilities, columns=self.classes)
        stages = [self.classes[label] for label in found.truth]
        table.insert(0, "subject", found.subjects)
        table.insert(1, "stage", stages)
        _write_csv(self.predictions_file(cell), table)

    def read_predictions(
        self, cell: Cell, *, expected: Predictions
    ) -> Predictions | None:
        """Reads the predictions of a classifier; None if it is not finished."""
        path = self.predictions_file(cell)
        if not path.is_file():
            return None
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            if table.isna().any(axis=None):
                raise ValueError("a row is too short")
            found = Predictions(
                table["subject"].to_numpy(str),
                np.array([self.classes.index(s) for s in table["stage"]]),
                table[list(self.classes)].to_numpy(np.float64),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected subject, stage and probabilities in {path}, found "
                f"{error!r}: delete it, and it is made again"
            ) from error
        same = np.array_equal(found.subjects, expected.subjects)
        if not same or not np.array_equal(found.truth, expected.truth):
            raise ValueError(
                f"expected the held-out subjects of the set in {path}, found "
                "others: the set was prepared again, choose another --out"
            )
        return found

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes `study.json`, and `results.csv` with its last column."""
        table = pd.DataFrame(summary["results"], columns=_COLUMNS)
        table["study"] = "complete" if summary["complete"] else "partial"
        _write_csv(self.path / "results.csv", table)
        _write_json(self.path / "study.json", summary)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    """Writes a table, completely or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes an object, completely or not at all."""
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
