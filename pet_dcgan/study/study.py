"""The whole study: classifiers of every arm, fraction and seed, and a verdict.

Generators are trained on the subjects of their fraction alone. Classifiers
are judged by subjects that neither they nor a generator have seen, and nothing
is chosen by these.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.runs.run import Run
from pet_dcgan.study.classifiers import ask, cells, nothing_said
from pet_dcgan.study.data import Material, load_material
from pet_dcgan.study.figure import save_figure
from pet_dcgan.study.generators import (
    Place,
    facts,
    fitting_runs,
    places,
    trained_here,
    training_config,
)
from pet_dcgan.study.records import Records
from pet_dcgan.study.report import summarise
from pet_dcgan.study.settings import StudySettings

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
        blank = nothing_said(material.judged, len(settings.classes))
        self.answers = {
            cell: answer
            for cell in self.cells
            if (answer := records.read_answer(cell, expected=blank))
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
                answer = ask(
                    cell,
                    settings=self.settings,
                    material=self.material,
                    generators=self.generators,
                )
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
        return summarise(
            self.settings,
            self.material,
            self.answers,
            cells=self.cells,
            generators=[
                facts(run, place, given=place in self.given)
                for place, run in sorted(self.generators.items())
            ],
        )
