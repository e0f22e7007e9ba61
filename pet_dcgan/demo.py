"""All steps: scans, data set, generators, metrics, models.

The scans are a phantom's, or those of a folder of the user's. Slices have
64 x 64 pixels of 3 mm, of which two processor cores train three generators
within minutes.

A step whose result exists is skipped, so that a stopped demo resumes. Every
result appears whole or not at all, and what a killed demo left beside it is
removed, or brought to its end.
"""

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import STAGES
from pet_dcgan.data.prepared_set import load_slices, open_set
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.synthetic_images import SEARCHED
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.plotting import save_sheet
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import CopiesError, export_run
from pet_dcgan.serving.model_folder import CARD_FILE, repair_models
from pet_dcgan.training.train import resolve_config, train
from pet_dcgan.utils.files import replacing, restore, sweep, sweep_beside
from pet_dcgan.utils.foreign_text import one_line, read_object
from pet_dcgan.utils.locks import is_free, working_in
from tfds_adni import Builder, prepare
from tfds_adni.cohort import Cohort, Selection
from tfds_adni.phantom import write_cohort
from tfds_adni.preparation import remove_leftovers
from tfds_adni.sources import require_folder

_GALLERY_IMAGES = 8
_MARK = "demo.json"
DATASET = "axial_64"  # configuration of its prepared set
DIFFICULTY = "realistic"  # of its phantom

Advance = Callable[[int, int], None]
Progress = Callable[[str], contextlib.AbstractContextManager[Advance | None]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The size of a demo.

    Attributes:
        subjects: Number of subjects of each stage.
        overrides: Changes to the preset `demo`.
        search: Number of synthetic images that are searched for copies.
        seed: Seed of everything random.
        difficulty: Of the phantom, "easy" or "realistic".
        real: The folder of scans, `""` for a phantom.
        selection: Facts of which of its scans are used.
    """

    subjects: int = 24
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)
    search: int = SEARCHED
    seed: int = 0
    difficulty: str = DIFFICULTY
    real: str = ""
    selection: dict[str, Any] = dataclasses.field(default_factory=dict)


QUICK = Settings(
    subjects=4,
    overrides={"epochs": 2, "width": 8, "samples_every": 1},
    search=1000,
)


@dataclasses.dataclass(frozen=True)
class Summary:
    """The results of a demo.

    Attributes:
        metrics: Metrics of each stage's generator.
        places: Paths of the results, by name.
    """

    metrics: dict[str, dict[str, Any]]
    places: dict[str, Path]


def run_demo(
    out: Path,
    *,
    quick: bool = False,
    real: Path | None = None,
    selection: Selection | None = None,
    check: Callable[[Cohort], None] | None = None,
    say: Callable[[str], None] = print,
    verbose: str | int = "auto",
    progress: Progress = lambda label: contextlib.nullcontext(),
) -> Summary:
    """Runs every step that is not done yet.

    Args:
        out: Folder for all results; created if missing.
        quick: Whether to run a smoke test, whose images are of no use.
        real: A folder of scans to use in place of a phantom. One stage is
            enough.
        selection: Which of its scans are used; the defaults where `None`.
        check: Called with its cohort before anything is written.
        say: Called with a line of text before and after each step.
        verbose: As in `train`.
        progress: Takes a label, returns a context whose value is called with
            the number of steps done and the total.

    Raises:
        BlockingIOError: If another process works in `out`.
        FileExistsError: If `out` holds anything but this demo.
        FileNotFoundError: If there is no folder of scans.
    """
    out, settings = Path(out), QUICK if quick else Settings()
    if real:
        require_folder(Path(real))
        settings = dataclasses.replace(
            settings,
            difficulty="",
            real=str(Path(real).resolve()),
            selection=(selection or Selection()).facts(),
        )
    with working_in(out, "demo"):
        _claim(out, settings)
        demo = _Demo(out, settings, say, verbose, progress)
        return demo.run(selection, check)


def _claim(out: Path, settings: Settings) -> None:
    """Marks a folder as this demo's, or refuses any other in use."""
    mark = out / _MARK
    sweep_beside(mark)
    text = json.dumps(dataclasses.asdict(settings), indent=2) + "\n"
    if os.path.lexists(mark):
        if _settings_in(mark) != json.loads(text):
            raise FileExistsError(
                f"expected the same demo in {out}, found one with other "
                "settings (--quick, or other scans); choose another --out or "
                "remove it"
            )
    elif not is_free(out):
        raise FileExistsError(
            f"expected a new folder or a demo's, found {out} in use; choose "
            "another --out"
        )
    sweep(out)
    if not mark.exists():
        with replacing(mark) as path:
            path.write_text(text, encoding="utf-8")


def _settings_in(mark: Path) -> dict[str, Any]:
    """What `demo.json` says."""
    try:
        return read_object(mark)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{one_line(error)}: restore the file or choose another --out"
        ) from error


@dataclasses.dataclass(frozen=True)
class _Demo:
    """The steps of one demo; the fields are the arguments of `run_demo`."""

    out: Path
    settings: Settings
    say: Callable[[str], None]
    verbose: str | int
    progress: Progress

    def run(
        self,
        selection: Selection | None,
        check: Callable[[Cohort], None] | None,
    ) -> Summary:
        """Runs every step that is not done yet."""
        out, real = self.out, self.settings.real
        places = {
            "scans": Path(real) if real else out / "phantom",
            "data set": out.joinpath(
                "data", Builder.name, DATASET, str(Builder.VERSION)
            ),
            "runs": out / "runs",
            "models": out / "models",
            "gallery": out / "gallery.png",
        }
        if not real:
            self.step(
                f"phantom scans, {self.settings.difficulty}",
                places["scans"],
                self.make_phantom,
            )
        if places["data set"].exists():
            remove_leftovers(places["data set"])
        self.step(
            "prepared slices",
            places["data set"],
            lambda: self.prepare_set(places["scans"], selection, check),
        )
        repair_models(places["models"])
        metrics = {}
        for stage in self.stages():
            run = self.run_stage(stage)
            metrics[stage] = run.metrics()
            places[f"report {stage}"] = run.evaluation / "report.html"
        self.step("gallery", places["gallery"], self.draw_gallery)
        return Summary(metrics, places)

    def step(self, name: str, result: Path, work: Callable[[], object]) -> None:
        """Runs a step unless its result exists, and says how long it took."""
        if result.exists():
            self.say(f"{name}: done already ({result})")
            return
        self.say(f"{name} ...")
        started = time.monotonic()
        work()
        self.say(f"{name}: {time.monotonic() - started:.0f} s ({result})")

    def make_phantom(self) -> None:
        """Writes the phantom download."""
        with self.progress("phantom scans") as advance:
            write_cohort(
                self.out / "phantom",
                subjects=dict.fromkeys(STAGES, self.settings.subjects),
                seed=self.settings.seed,
                progress=advance,
                difficulty=self.settings.difficulty,
            )

    def prepare_set(
        self,
        folder: Path,
        selection: Selection | None,
        check: Callable[[Cohort], None] | None,
    ) -> None:
        """Prepares the data set."""
        with self.progress("prepare") as advance:
            prepare(
                folder,
                self.out / "data",
                config=DATASET,
                selection=selection,
                check=check,
                progress=advance,
            )

    def stages(self) -> list[str]:
        """The stages of the prepared set."""
        groups = open_set(self.out / "data", DATASET).subjects
        return [stage for stage in STAGES if ("train", stage) in groups]

    def run_stage(self, stage: str) -> Run:
        """Trains, evaluates and exports one stage; returns its run."""
        path, models = self.out / "runs" / stage.lower(), self.out / "models"
        self.step(
            f"{stage} training",
            path / "generator.keras",
            lambda: self.train_stage(stage, path),
        )
        run = Run.open(path)
        # what a killed command left, even where its result is there
        with working_in(path, "demo"):
            sweep(path)
            restore(run.evaluation)
        self.step(
            f"{stage} evaluation",
            run.evaluation / "metrics.json",
            lambda: self.evaluate_run(run),
        )
        # `repair_models` has made it of a version, where there is one
        card = models / stage.lower() / CARD_FILE
        self.step(f"{stage} export", card, lambda: self.export(run, models))
        return run

    def export(self, run: Run, models: Path) -> None:
        """Exports a generator; copies of patients stay where they are.

        Those of a phantom harm nobody, and the card mentions them.
        """
        try:
            export_run(run, models, allow_copies=run.config.phantom)
        except CopiesError as error:
            self.say(f"{run.config.stage} export: left out; {error}")

    def train_stage(self, stage: str, path: Path) -> None:
        """Trains one stage, or resumes its training."""
        config = resolve_config(
            "demo",
            data_dir=self.out / "data",
            dataset=DATASET,
            stage=stage,
            overrides=self.settings.overrides,
            seed=self.settings.seed,
        )
        train(config, path, resume=not is_free(path), verbose=self.verbose)

    def evaluate_run(self, run: Run) -> None:
        """Evaluates the generator of one stage."""
        with self.progress(f"evaluate {run.config.stage}") as advance:
            evaluate(run, search=self.settings.search, progress=advance)

    def draw_gallery(self) -> None:
        """Draws held-out real slices above synthetic ones of each stage."""
        rows = []
        for stage in self.stages():
            run = Run.open(self.out / "runs" / stage.lower())
            config = run.config
            held_out = load_slices(
                config.data_dir,
                config.dataset,
                split="test",
                stage=stage,
                plane=config.plane,
            ).images
            chosen = np.linspace(0, len(held_out) - 1, _GALLERY_IMAGES)
            real = held_out[chosen.round().astype(int)]
            synthetic = synthetic_slices(
                run.load_generator(),
                np.arange(_GALLERY_IMAGES),
                suvr_max=config.suvr_max,
            )
            rows += [
                (f"{stage} held out", suvr_from_png(real, config.suvr_max)),
                (f"{stage} synthetic", synthetic),
            ]
        save_sheet(
            self.out / "gallery.png",
            rows,
            title=f"Real above synthetic slices, {config.plane}",
            suvr_max=config.suvr_max,
            phantom=config.phantom,
        )
