"""A study on disk, whole after each classifier.

```
OUT/
    settings.json    what it was told
    generators/      the runs it trained, <stage>_<plane>_<fraction>
    predictions/     one file a classifier: subject, stage, a column a class
    results.csv      one row a classifier; its last column says partial
    study.json       arms, differences, intervals, words
    study.png        the same as a figure
```
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.study.classifiers import Cell
from pet_dcgan.study.statistics import METRICS, Answer
from pet_dcgan.utils.files import replacing

_COLUMNS = (
    *("fraction", "seed", "arm"),
    *("training_subjects", "real_images", "synthetic_images"),
    *("judged_subjects", *METRICS, "phantom", "study"),
)
_MOVABLE = ("data_dir",)


class Records:
    """The folder of a study.

    Args:
        folder: Where it lies.
        classes: The stages to tell apart, in the order of the labels.
    """

    def __init__(self, folder: str | Path, classes: tuple[str, ...]) -> None:
        self.folder = Path(folder)
        self.classes = classes

    def claim(self, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Takes a free folder, or the same study's to go on with.

        Args:
            settings: Settings of the study.
            resume: Whether to go on with a study that was stopped.

        Raises:
            FileExistsError: If the folder is in use and `resume` is unset.
            FileNotFoundError: If there is no study to go on with.
            ValueError: If the study there was told something else.
        """
        told = self.folder / "settings.json"
        if resume:
            self._require_same(told, settings)
            return
        if self.folder.exists() and (
            not self.folder.is_dir() or any(self.folder.iterdir())
        ):
            raise FileExistsError(
                f"expected {self.folder} to be free for a new study, found an "
                "earlier one or other files: go on with --resume, or choose "
                "another --out"
            )
        with replacing(told) as path:
            _write_json(path, settings)

    def predictions(self, cell: Cell) -> Path:
        """The file of one classifier's answer."""
        name = f"{cell.fraction:03}_{cell.arm}_{cell.seed}.csv"
        return self.folder / "predictions" / name

    def write_answer(self, cell: Cell, answer: Answer) -> None:
        """Writes what a classifier said, whole or not at all.

        Args:
            cell: The classifier.
            answer: What it said of each subject.
        """
        with (
            replacing(self.predictions(cell)) as path,
            path.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("subject", "stage", *self.classes))
            for subject, stage, row in zip(
                answer.subjects,
                answer.truth,
                answer.probabilities,
                strict=True,
            ):
                # a float's repr is read back as the same number
                numbers = [repr(float(p)) for p in row]
                writer.writerow((subject, self.classes[stage], *numbers))

    def read_answer(self, cell: Cell, *, expected: Answer) -> Answer | None:
        """Reads what a classifier said; None where it has not been asked.

        Args:
            cell: Which classifier.
            expected: Whose subjects and stages it must be.

        Raises:
            ValueError: If the file is damaged or of other subjects.
        """
        path = self.predictions(cell)
        if not path.is_file():
            return None
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            answer = Answer(
                np.array([row["subject"] for row in rows]),
                np.array([self.classes.index(row["stage"]) for row in rows]),
                np.array(
                    [[float(row[c]) for c in self.classes] for row in rows]
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected subject, stage and a probability a class in {path},"
                f" found {error!r}: remove it, and it is made again"
            ) from error
        same = np.array_equal(answer.subjects, expected.subjects)
        if not same or not np.array_equal(answer.truth, expected.truth):
            raise ValueError(
                f"expected the held-out subjects of the set in {path}, found "
                "others: the set was prepared anew, choose another --out"
            )
        return answer

    def write_results(
        self, rows: list[dict[str, Any]], *, complete: bool
    ) -> None:
        """Writes `results.csv`, each row marked partial until all are there.

        Args:
            rows: One a classifier, with the columns of the table.
            complete: Whether all of them are there.
        """
        mark = {"study": "complete" if complete else "partial"}
        with (
            replacing(self.folder / "results.csv") as path,
            path.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | mark for row in rows)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes `study.json`."""
        with replacing(self.folder / "study.json") as path:
            _write_json(path, summary)

    def _require_same(self, told: Path, settings: Mapping[str, Any]) -> None:
        if not told.is_file():
            raise FileNotFoundError(
                f"expected a study to go on with, found no {told}: leave out "
                "--resume"
            )
        try:
            before = json.loads(told.read_text(encoding="utf-8"))
            changed = [
                f"{name} {value} instead of {before[name]}"
                for name, value in settings.items()
                if name not in _MOVABLE and before[name] != value
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected a study's settings in {told}, found {error!r}: "
                "choose another --out"
            ) from error
        if changed:
            raise ValueError(
                f"expected the settings of {self.folder}, found "
                f"{', '.join(changed)}: resume with the options of its start"
            )


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")
