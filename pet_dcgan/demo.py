"""The whole way on a phantom: scans, data set, generators, numbers, models.

A step whose result lies there whole is skipped, so that a stopped demo goes on
where it was.
"""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import STAGES
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.plotting import save_sheet
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.training.train import resolve_config, train
from pet_dcgan.utils.files import replacing
from tfds_adni import Builder, prepare
from tfds_adni.phantom import write_cohort

_GALLERY_IMAGES = 8
_VERSION = str(Builder.VERSION)

Advance = Callable[[int, int], None]
Progress = Callable[[str], contextlib.AbstractContextManager[Advance | None]]


def _silent(label: str) -> contextlib.AbstractContextManager[None]:
    """Shows no progress."""
    return contextlib.nullcontext()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How large a demo is.

    Attributes:
        subjects: Subjects of each stage.
        dataset: Configuration of the prepared set.
        overrides: Changes to the preset `demo`.
        seed: Seed of everything.
    """

    subjects: int = 24
    dataset: str = "axial_128"
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0


QUICK = Settings(
    subjects=4,
    dataset="axial_64",
    overrides={"epochs": 2, "width": 8, "samples_every": 1},
)


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a demo gave.

    Attributes:
        metrics: What `evaluate` returned, by stage.
        places: Where things lie, by what they are.
    """

    metrics: dict[str, dict[str, Any]]
    places: dict[str, Path]


def run_demo(
    out: Path,
    *,
    quick: bool = False,
    say: Callable[[str], None] = print,
    verbose: str | int = "auto",
    progress: Progress = _silent,
) -> Summary:
    """Runs every step that is not done yet.

    Args:
        out: Folder for everything; made where missing.
        quick: A smoke run: its images are not worth looking at.
        say: Called with a line before each step and a result after it.
        verbose: Keras's progress while training.
        progress: Given a label, a context whose value is called with what is
            done and what there is in all.

    Returns:
        The numbers and the places.

    Raises:
        FileExistsError: If `out` holds something else than this demo.
    """
    settings = QUICK if quick else Settings()
    out = Path(out)
    _claim(out, settings)
    places = {
        "scans": out / "phantom",
        "data set": out / "data" / Builder.name / settings.dataset / _VERSION,
        "runs": out / "runs",
        "models": out / "models",
        "gallery": out / "gallery.png",
    }
    step = _Step(say, verbose)
    scans, slices = places["scans"], places["data set"]
    step("phantom scans", scans, lambda: _phantom(out, settings, progress))
    step("prepared slices", slices, lambda: _prepare(out, settings, progress))
    metrics = {
        stage: _one_stage(stage, out, settings, step, progress)
        for stage in STAGES
    }
    for stage in STAGES:
        run = Run.open(out / "runs" / stage.lower())
        places[f"report {stage}"] = run.evaluation / "report.html"
    step("gallery", places["gallery"], lambda: _gallery(out, settings))
    return Summary(metrics, places)


class _Step:
    """Runs a step unless its result is there, and says how long it took."""

    def __init__(self, say: Callable[[str], None], verbose: str | int) -> None:
        self._say = say
        self.verbose = verbose

    def __call__(
        self, what: str, result: Path, work: Callable[[], object]
    ) -> None:
        if result.exists():
            self._say(f"{what}: done already ({result})")
            return
        self._say(f"{what} ...")
        started = time.monotonic()
        work()
        self._say(f"{what}: {time.monotonic() - started:.0f} s ({result})")


def _claim(out: Path, settings: Settings) -> None:
    """Marks a folder as this demo's, or refuses one that is not."""
    mark = out / "demo.json"
    wanted = json.loads(json.dumps(dataclasses.asdict(settings)))
    if mark.exists():
        found = json.loads(mark.read_text(encoding="utf-8"))
        if found != wanted:
            raise FileExistsError(
                f"expected the same demo in {out}, found one with other "
                "settings (quick or not); choose another --out or remove it"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"expected a new folder or a demo's, found {out} in use; choose "
            "another --out"
        )
    with replacing(mark) as path:
        path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _phantom(out: Path, settings: Settings, progress: Progress) -> None:
    """Makes the phantom download."""
    with progress("phantom scans") as advance:
        write_cohort(
            out / "phantom",
            subjects=dict.fromkeys(STAGES, settings.subjects),
            seed=settings.seed,
            progress=advance,
        )


def _prepare(out: Path, settings: Settings, progress: Progress) -> None:
    """Makes the data set."""
    with progress("prepare") as advance:
        prepare(
            out / "phantom",
            out / "data",
            config=settings.dataset,
            progress=advance,
        )


def _one_stage(
    stage: str, out: Path, settings: Settings, step: _Step, progress: Progress
) -> dict[str, Any]:
    """Trains, judges and exports the generator of one stage."""
    path = out / "runs" / stage.lower()
    step(
        f"{stage} training",
        path / "generator.keras",
        lambda: _train(stage, path, out, settings, step.verbose),
    )
    run = Run.open(path)
    step(
        f"{stage} evaluation",
        run.evaluation / "metrics.json",
        lambda: _evaluate(run, stage, progress),
    )
    step(
        f"{stage} export",
        # of what an export writes, the last
        out / "models" / stage.lower() / "MODEL_CARD.md",
        # a phantom's copies are nobody's, and the card says so
        lambda: export_run(run, out / "models", allow_copies=True),
    )
    return run.metrics()


def _evaluate(run: Run, stage: str, progress: Progress) -> None:
    """Judges the generator of one stage."""
    with progress(f"evaluate {stage}") as advance:
        evaluate(run, progress=advance)


def _train(
    stage: str, path: Path, out: Path, settings: Settings, verbose: str | int
) -> None:
    """Trains one stage, or goes on with it."""
    config = resolve_config(
        "demo",
        data_dir=out / "data",
        dataset=settings.dataset,
        stage=stage,
        overrides=settings.overrides,
        seed=settings.seed,
    )
    train(config, path, resume=path.exists(), verbose=verbose)


def _gallery(out: Path, settings: Settings) -> None:
    """Draws held-out real slices above synthetic ones, for each stage."""
    rows = []
    for stage in STAGES:
        run = Run.open(out / "runs" / stage.lower())
        config = run.config
        held_out = load_slices(
            config.data_dir,
            config.dataset,
            split="test",
            stage=stage,
            plane=config.plane,
        )
        total = len(held_out.images)
        chosen = np.linspace(0, total - 1, _GALLERY_IMAGES).round().astype(int)
        real = suvr_from_png(held_out.images[chosen], config.suvr_max)
        synthetic = synthetic_slices(
            run.load_generator(),
            np.arange(_GALLERY_IMAGES),
            suvr_max=config.suvr_max,
        )
        rows += [(f"{stage} held out", real), (f"{stage} synthetic", synthetic)]
    with replacing(out / "gallery.png") as path:
        save_sheet(
            path,
            rows,
            title=f"Real above synthetic slices, {config.plane}",
            suvr_max=config.suvr_max,
            phantom=config.phantom,
        )
