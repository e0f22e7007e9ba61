"""The whole study, and its folder, which is up to date after each classifier.

```
OUT/
    settings.json    its settings
    splits.csv       what each subject does in each split: training,
                     validation or test; fold is the split it is tested in
    split_0/         and one for each other split
        generators/  the runs it trained, <stage>_<plane>_<fraction>_<seed>
        predictions/ one file per classifier: subject, stage, probabilities
    results.csv      one row per classifier; its last column says partial
    study.json       arms, differences, intervals, conclusions
    study.png        the same as a figure
    calibration.png  how true the predicted probabilities are
    contrast.png     AD against NC as maps, real and synthetic; with both kinds
                     of generators, of conditional ones conditional_contrast.png
```

A repetition is a split and a seed: other subsets of the training subjects,
other generators, other classifiers. In each split, generators are trained on
the subjects of their fraction alone and measured on validation subjects.
Classifiers are tested on subjects that neither they nor a generator have seen,
and nothing is selected by these.
"""

import contextlib
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pet_dcgan.runs.run import Run
from pet_dcgan.study.asymmetry import study_asymmetry
from pet_dcgan.study.classifiers import study_cells, train_and_predict
from pet_dcgan.study.contrast import study_contrast
from pet_dcgan.study.contrast_figure import save_contrast
from pet_dcgan.study.contrast_images import contrast_splits
from pet_dcgan.study.data import StudyData, load_study_data
from pet_dcgan.study.figure import save_calibration, save_figure
from pet_dcgan.study.folder import (
    claim,
    keep_splits,
    predictions_file,
    read_predictions,
    write_csv,
    write_json,
    write_predictions,
)
from pet_dcgan.study.generator_specs import GeneratorSpec, generator_specs
from pet_dcgan.study.generators import (
    describe,
    train_generator,
    training_config,
)
from pet_dcgan.study.given_runs import assign_runs
from pet_dcgan.study.report import summarise
from pet_dcgan.study.scores import SCORES
from pet_dcgan.study.settings import Cell, StudySettings
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive

_COLUMNS = (
    *("split", "seed", "fraction", "arm"),
    *("training_subjects", "real_images", "synthetic_images"),
    *("test_subjects", *SCORES, "phantom", "study"),
)

Progress = Callable[
    [str], contextlib.AbstractContextManager[Callable[[int, int], None]]
]


@keras_defaults()
@exclusive("study", "out")
def run_study(
    settings: StudySettings,
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    resume: bool = False,
    verbose: str | int = 0,
    status: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda label: contextlib.nullcontext(
        lambda done, total: None
    ),
) -> dict[str, Any]:
    """Trains every classifier that is not finished, and summarises all.

    A study can be stopped at any time and resumed.

    Args:
        settings: Settings of the study.
        out: Folder of the study.
        runs: Finished runs to use where they fit; all others are trained.
        resume: Whether to continue the study in `out`.
        verbose: As in `train`, of each generator.
        status: Called with a line before each generator.
        progress: Called with a label; a context whose value is called with
            the number of finished classifiers and of all.

    Returns:
        The content of `study.json`.

    Raises:
        BlockingIOError: If another process works in `out`.
        DataLeakageError: If a split or a generator shares subjects that it
            must not.
        FileExistsError: If `out` is in use.
        FileNotFoundError: If there is no such set, run or study.
        ValueError: If data, runs and settings do not fit, or a generator
            produces no images.
    """
    data = load_study_data(settings)
    given = assign_runs([Run.open(p) for p in runs], data)
    missing = [s for s in generator_specs(settings) if s not in given]
    for spec in missing:  # fails now, not hours later
        training_config(spec, data)
    out = Path(out)
    paths = {"runs": sorted(str(Path(path).resolve()) for path in runs)}
    claim(out, settings.to_dict() | paths, resume=resume)
    keep_splits(out / "splits.csv", data)
    study = _Study(data, given, out)
    status(
        f"{len(missing)} generators and {len(study.cells)} classifiers in "
        f"{settings.splits} split{'s' * (settings.splits > 1)}, of which "
        f"{len(study.predictions)} classifiers are finished"
    )
    try:
        for repetition in itertools.product(
            range(settings.splits), range(settings.seeds)
        ):
            study.repeat(*repetition, verbose, status, progress)
        status("contrast of the stages, real and synthetic")
        for kind in settings.generators:
            study.look(kind)
    finally:
        summary = study.write_summary()
        if study.predictions:
            save_figure(out / "study.png", summary)
            save_calibration(out / "calibration.png", summary)
    return summary


def _title(data: StudyData) -> str:
    """What the maps of the contrast are of."""
    settings = data.settings
    return (
        f"{'PHANTOM, no patients; ' * data.meta.phantom}{settings.planes[0]}; "
        f"{settings.fractions[-1]} % of the training subjects; means over "
        f"splits: {settings.splits}"
    )


class _Study:
    """A study in progress, with the predictions that are in its folder."""

    def __init__(
        self, data: StudyData, given: Mapping[GeneratorSpec, Run], path: Path
    ) -> None:
        self.data, self.path = data, path
        self.given, self.generators = given, dict(given)
        # of a finished study
        self.looks: dict[str, dict[str, Any] | None] = {}
        self.cells = study_cells(data.settings)
        expected = [data.test_subjects(s.number) for s in data.splits]
        self.predictions = {
            cell: read_predictions(
                file, data.settings.classes, expected[cell.split]
            )
            for cell in self.cells
            if (file := predictions_file(path, cell)).is_file()
        }

    def repeat(
        self,
        split: int,
        seed: int,
        verbose: str | int,
        status: Callable[[str], None],
        progress: Progress,
    ) -> None:
        """Completes one repetition: its generators and classifiers."""
        own = [c for c in self.cells if (c.split, c.seed) == (split, seed)]
        settings = self.data.settings
        name = f"split {split + 1} of {settings.splits}"
        if settings.seeds > 1:
            name += f", repetition {seed + 1} of {settings.seeds}"
        real = [cell for cell in own if not cell.needs_synthetic]
        self._classify(real, f"{name}: real images", progress)
        specs = [
            spec
            for spec in generator_specs(settings)
            if (spec.split, spec.seed) == (split, seed)
            and spec not in self.given
        ]
        for number, spec in enumerate(specs, 1):
            status(f"{name}: generator {number} of {len(specs)}: {spec}")
            self.generators[spec] = train_generator(
                spec, self.path, self.data, verbose=verbose
            )
        others = [cell for cell in own if cell.needs_synthetic]
        self._classify(others, f"{name}: synthetic images", progress)

    def look(self, kind: str) -> None:
        """Compares real images with those of one kind of generators."""
        settings, plane = self.data.settings, self.data.settings.planes[0]
        # the second kind, if there are two
        second = "conditional_" * (kind != settings.generators[0])
        splits = functools.partial(
            contrast_splits, self.data, self.generators, kind
        )
        contrast, maps = study_contrast(splits(), seed=settings.seed)
        self.looks[f"{second}contrast"] = contrast
        self.looks[f"{second}asymmetry"] = study_asymmetry(
            splits(), plane=plane
        )
        if maps is not None:
            file = self.path / f"{second}contrast.png"
            save_contrast(file, maps, plane=plane, title=_title(self.data))

    def _classify(
        self, cells: Sequence[Cell], label: str, progress: Progress
    ) -> None:
        """Trains those classifiers that are not finished."""
        left = [cell for cell in cells if cell not in self.predictions]
        if not left:
            return
        with progress(label) as advance:
            for cell in left:
                advance(cells.index(cell), len(cells))
                found = train_and_predict(
                    cell, data=self.data, generators=self.generators
                )
                file = predictions_file(self.path, cell)
                write_predictions(file, self.data.settings.classes, found)
                self.predictions[cell] = found
                self.write_summary()
                advance(cells.index(cell) + 1, len(cells))

    def write_summary(self) -> dict[str, Any]:
        """Writes `results.csv` and `study.json`, and returns the latter."""
        summary = summarise(
            self.data,
            self.predictions,
            cells=self.cells,
            generators=[
                describe(run, spec, given=spec in self.given)
                for spec, run in sorted(self.generators.items())
            ],
            looks=self.looks,
        )
        table = pd.DataFrame(summary["results"], columns=_COLUMNS)
        table["study"] = "complete" if summary["complete"] else "partial"
        write_csv(self.path / "results.csv", table)
        write_json(self.path / "study.json", summary)
        return summary
