"""The whole study: classifiers of every arm, fraction and seed, and a verdict.

Generators are trained on the subjects of their fraction alone. Classifiers
are judged by subjects that neither they nor a generator have seen, and nothing
is chosen by these.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.classifier import slice_probabilities, train_classifier
from pet_dcgan.run import Run
from pet_dcgan.study.arms import (
    Cell,
    cells,
    dealt_out,
    fitting_of,
    labelled_of,
)
from pet_dcgan.study.comparison import compare, kept_signal
from pet_dcgan.study.figure import save_figure
from pet_dcgan.study.generators import (
    Place,
    drawn,
    facts,
    fitting_runs,
    places,
    trained_here,
    training_config,
)
from pet_dcgan.study.material import LabelledSlices, Material, load_material
from pet_dcgan.study.outcomes import Answer
from pet_dcgan.study.records import Records
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.study.words import conclusions
from pet_dcgan.votes import join_votes

Advance = Callable[[int, int], None]
Progress = Callable[[str], contextlib.AbstractContextManager[Advance]]


@contextlib.contextmanager
def _silent(label: str):
    """Shows no progress."""
    yield lambda done, total: None


def run_study(
    settings: StudySettings,
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    resume: bool = False,
    verbose: str | int = 0,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = _silent,
) -> dict[str, Any]:
    """Runs every classifier that has not been, and sums up.

    What is there stays whole whenever the study is stopped: a file a
    classifier, and tables that say they are partial.

    Args:
        settings: What to find out.
        out: Folder of the study.
        runs: Finished runs to use where they fit; all else is trained.
        resume: Whether to go on with the study in `out`.
        verbose: Keras's progress while generators are trained.
        say: Called with a line before each generator.
        progress: Given a label, a context whose value is called with what is
            done and what there is in all.

    Returns:
        What `study.json` holds.

    Raises:
        DataLeakageError: If a split or a generator shares subjects that it
            must not.
        FileExistsError: If `out` is in use.
        FileNotFoundError: If there is no such set, run or study.
        ValueError: If data, runs and settings do not fit, or a generator
            gives no images.
    """
    material = load_material(settings)
    given = fitting_runs([Run.open(p) for p in runs], settings, material)
    wanted = [place for place in places(settings) if place not in given]
    for place in wanted:  # found out now, not hours later
        training_config(place, settings, material)
    records = Records(out, settings.classes)
    named = {"runs": sorted(str(Path(path).resolve()) for path in runs)}
    records.claim(settings.to_dict() | named, resume=resume)
    study = _Study(settings, material, records, given)
    try:
        study.judge(with_generators=False, progress=progress)
        for number, place in enumerate(wanted, 1):
            say(f"generator {number} of {len(wanted)}: {place}")
            study.make(place, verbose=verbose)
        study.judge(with_generators=True, progress=progress)
    finally:
        study.write(figure=True)
    return study.summary()


class _Study:
    """A study under way."""

    def __init__(
        self,
        settings: StudySettings,
        material: Material,
        records: Records,
        given: dict[Place, Run],
    ) -> None:
        self.settings = settings
        self.material = material
        self.records = records
        self.given = given
        self.generators = dict(given)
        self.cells = cells(settings.fractions, settings.seeds)
        self.expected = _asked(material, len(settings.classes))
        self.answers = {
            cell: answer
            for cell in self.cells
            if (answer := records.read_answer(cell, expected=self.expected))
        }

    def make(self, place: Place, *, verbose: str | int) -> None:
        """Trains a generator, or takes it where it is done."""
        self.generators[place] = trained_here(
            place,
            self.records.folder / "generators",
            self.settings,
            self.material,
            verbose=verbose,
        )

    def judge(self, *, with_generators: bool, progress: Progress) -> None:
        """Trains and asks the classifiers that have not been asked."""
        own = [c for c in self.cells if c.needs_synthetic == with_generators]
        label = "classifiers " + ("with" if with_generators else "without")
        with progress(f"{label} synthetic images") as advance:
            for done, cell in enumerate(own):
                if cell in self.answers:
                    continue
                advance(done, len(own))
                answer = self._answer(cell)
                self.records.write_answer(cell, answer)
                self.answers[cell] = answer
                self.write()
                advance(done + 1, len(own))

    def write(self, *, figure: bool = False) -> None:
        """Writes the tables, and the figure where asked and possible."""
        summary = self.summary()
        complete = summary["complete"]
        self.records.write_results(summary["results"], complete=complete)
        self.records.write_summary(summary)
        if figure and self.answers:
            save_figure(self.records.folder / "study.png", summary)

    def summary(self) -> dict[str, Any]:
        """Everything that was found so far."""
        told = self.settings.to_dict()
        del told["data_dir"]
        answers: dict[tuple[str, int], list[Answer]] = {}
        for cell in sorted(self.answers):
            key = (cell.arm, cell.fraction)
            answers.setdefault(key, []).append(self.answers[cell])
        compared = compare(answers, seed=self.settings.seed)
        summary = {
            "phantom": self.material.meta.phantom,
            "complete": len(self.answers) == len(self.cells),
            "done": len(self.answers),
            "of": len(self.cells),
            "classes": list(self.settings.classes),
            "judged_on": list(self.settings.judged_on),
            "judged": self._judged(),
            "training_subjects": {
                str(f): self._counts(f) for f in self.settings.fractions
            },
            "generators": [
                facts(run, place, given=place in self.given)
                for place, run in sorted(self.generators.items())
            ],
            **compared,
            "kept_signal": kept_signal(compared["arms"]),
            "results": [self._row(c) for c in self.cells if c in self.answers],
            "settings": told,
        }
        return {"words": conclusions(summary), **summary}

    def _answer(self, cell: Cell) -> Answer:
        votes = []
        for plane in self.settings.planes:
            labelled = self._labelled(cell, plane)
            model = train_classifier(
                labelled,
                classes=len(self.settings.classes),
                seed=1000 * self.settings.seed + cell.seed,
                fitting=fitting_of(cell.arm, steps=self.settings.steps),
            )
            judged = self.material.judged[plane]
            said = slice_probabilities(model, judged.images)
            votes.append((said, _keys(judged)))
        _, probabilities = join_votes(votes)
        return dataclasses.replace(self.expected, probabilities=probabilities)

    def _labelled(self, cell: Cell, plane: str):
        real = self.material.learnt_from(cell.fraction, plane)
        images, labels = None, None
        if cell.needs_synthetic:
            images, labels = self._synthetic(cell, plane)
        if self.settings.shuffle_labels:
            dealt = dealt_out(real.labels, real.subjects, seed=cell.seed)
            real = dataclasses.replace(real, labels=dealt)
            if labels is not None:
                owners = np.arange(len(labels))
                labels = dealt_out(labels, owners, seed=cell.seed)
        return labelled_of(cell.arm, real, images, labels)

    def _synthetic(
        self, cell: Cell, plane: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """As many of each stage as there are real ones at 100 %."""
        images, labels = [], []
        for label, stage in enumerate(self.settings.classes):
            run = self.generators[Place(cell.fraction, plane, stage)]
            count = self.material.training[plane].count(label)
            images.append(drawn(run, count=count, seed=cell.seed))
            labels.append(np.full(count, label))
        return np.concatenate(images), np.concatenate(labels)

    def _row(self, cell: Cell) -> dict[str, Any]:
        answer = self.answers[cell]
        whole = self.material.training.values()
        own = [
            self.material.learnt_from(cell.fraction, plane)
            for plane in self.settings.planes
        ]
        uses_real = cell.arm != "synthetic"
        synthetic = sum(len(part.images) for part in whole)
        return {
            "fraction": cell.fraction,
            "seed": cell.seed,
            "arm": cell.arm,
            "training_subjects": sum(self._counts(cell.fraction).values()),
            "real_images": uses_real * sum(len(part.images) for part in own),
            "synthetic_images": cell.needs_synthetic * synthetic,
            "judged_subjects": len(answer.truth),
            **{k: round(v, 6) for k, v in answer.scores().items()},
            "phantom": str(self.material.meta.phantom).lower(),
        }

    def _counts(self, fraction: int) -> dict[str, int]:
        subjects = self.material.subsets[fraction]
        return {s: len(subjects[s]) for s in self.settings.classes}

    def _judged(self) -> dict[str, int]:
        truth = self.expected.truth
        return {
            stage: int(np.count_nonzero(truth == label))
            for label, stage in enumerate(self.settings.classes)
        }


def _keys(slices: LabelledSlices) -> np.ndarray:
    """A subject and its stage, which another visit may have changed."""
    pairs = zip(slices.subjects, slices.labels, strict=True)
    return np.array([f"{subject}\t{label}" for subject, label in pairs])


def _asked(material: Material, classes: int) -> Answer:
    """Who is judged, in the order of `join_votes`, with nothing said yet."""
    keys = np.unique(
        np.concatenate([_keys(s) for s in material.judged.values()])
    )
    pairs = [key.split("\t") for key in keys]
    return Answer(
        subjects=np.array([subject for subject, _ in pairs]),
        truth=np.array([int(label) for _, label in pairs]),
        probabilities=np.full([len(keys), classes], 1 / classes),
    )
