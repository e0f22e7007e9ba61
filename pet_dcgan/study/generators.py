"""The generators of a study: what trains them, and what they are worth."""

import dataclasses
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import PRESETS, TrainConfig, checked_value
from pet_dcgan.data.leakage import require_unseen, require_within
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.presets import EVERY, in_epochs
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.study.data import StudyData
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.study.splits import Place
from pet_dcgan.training.train import resolve_config, train

# latent seeds that neither samples, selection nor an evaluation start with
_FIRST_SEED = 2**41
# Above it an evaluation would say "failed": as if every whitened feature were
# shifted by 0.3 SD. How soon generators reach it: docs/study.md.
KID_LIMIT = 0.295  # (1 + 0.3^2)^3 - 1, see `mean_shift`
_NAMED = 5


@dataclasses.dataclass(frozen=True, order=True)
class GeneratorSpec(Place):
    """One generator of a study, of a plane and stage at a place in it."""

    plane: str
    stage: str

    @property
    def folder(self) -> str:
        """Where it lies in the study's folder, if the study trains it."""
        name = f"{self.stage.lower()}_{self.plane}_{self.fraction}_{self.seed}"
        return f"split_{self.split}/generators/{name}"

    def __str__(self) -> str:
        return f"{self.stage} {self.plane}, {self.fraction} % of the subjects"


def generator_specs(settings: StudySettings) -> list[GeneratorSpec]:
    """Every generator that a study needs."""
    return [
        GeneratorSpec(*values)
        for values in itertools.product(
            range(settings.splits),
            range(settings.seeds),
            settings.fractions,
            settings.planes,
            settings.classes,
        )
    ]


def train_generator(
    spec: GeneratorSpec,
    home: Path,
    data: StudyData,
    *,
    verbose: str | int = 0,
) -> Run:
    """Trains or resumes a generator of the study, unless it is finished.

    Args:
        spec: The generator.
        home: Folder of the study.
        data: Settings, slices and subjects of the study.
        verbose: As in `train`.

    Raises:
        DataLeakageError: If an earlier one has seen other subjects.
        ValueError: If it cannot be trained.
    """
    path = home / spec.folder
    started = (path / "config.json").is_file()
    run = Run.open(path) if started else None
    if run is None or not run.finished:
        own_split = data.settings.splits == 1
        run = train(
            training_config(spec, data),
            path,
            resume=started,
            subjects=data.subjects(spec, spec.stage),
            # of the set's own split, the run finds them by itself
            validation=None
            if own_split
            else data.validation(spec.split, spec.stage),
            verbose=verbose,
        )
    require_trained_within(run, spec, data)
    return run


def training_config(spec: GeneratorSpec, data: StudyData) -> TrainConfig:
    """Configuration of a generator, with as many steps at every fraction.

    Fewer subjects mean fewer batches per epoch, so there are more epochs. Where
    no generator is selected, the KID of the last one is measured.

    Args:
        spec: The generator.
        data: Settings, slices and subjects of the study.

    Raises:
        ValueError: If there are fewer slices than a batch.
    """
    settings = data.settings
    values = dict(PRESETS[settings.preset]) | dict(settings.overrides)
    lengths = {
        name: checked_value(name, values[name])
        for name in ("epochs", "batch_size", *EVERY)
    }
    batch = lengths["batch_size"]
    label = settings.classes.index(spec.stage)
    slices = data.slices[spec.plane]
    own = slices.count(label, of=data.subjects(spec, spec.stage))
    if own < batch:
        raise ValueError(
            f"expected a batch of {batch} slices or more of {spec}, found "
            f"{own}: add --set batch_size={max(2, own)}, or leave that "
            "fraction out"
        )
    steps = settings.generator_steps
    if "epochs" in settings.overrides:
        whole = slices.count(label, of=data.splits[spec.split].training)
        steps = lengths["epochs"] * max(1, whole // batch)
    longer = math.ceil(steps / (own // batch))
    changes = in_epochs(lengths, longer)
    changes["select_every"] = changes["select_every"] or longer
    return resolve_config(
        settings.preset,
        data_dir=settings.data_dir,
        dataset=settings.dataset,
        stage=spec.stage,
        plane=spec.plane,
        overrides=dict(settings.overrides) | changes,
        seed=settings.seed_at(spec),
    )


def generate_stored(run: Run, *, count: int, seed: int) -> np.ndarray:
    """Synthetic slices as a prepared set would store them.

    Args:
        run: The generator's.
        count: Number of slices.
        seed: Different seeds give different slices.

    Returns:
        uint16 `[count, size, size]`.

    Raises:
        ValueError: If they are not finite or all of one brightness.
    """
    suvr_max = run.config.suvr_max
    seeds = _FIRST_SEED + seed * 2**24 + np.arange(count)
    images = synthetic_slices(run.load_generator(), seeds, suvr_max=suvr_max)
    stored = png_from_suvr(images, suvr_max)
    if stored.min() == stored.max():
        raise ValueError(
            f"expected images of brains from {run.path}, found only pixels of "
            "one brightness: the training failed, train again"
        )
    return stored


def describe(run: Run, spec: GeneratorSpec, *, given: bool) -> dict[str, Any]:
    """Facts about a generator for `study.json`, without a name or path.

    Args:
        run: The generator's.
        spec: The generator that it serves as.
        given: Whether the user gave it.
    """
    facts = {
        **dataclasses.asdict(spec),
        "subjects": len(set(run.subjects)),
        "trained_by": "the user" if given else "the study",
        "preset": run.config.preset,
        "val_kid": None,
        "standard_error": None,
        "suspects": None,
        **generator_facts(run),
    }
    measured = facts["val_kid"] is not None
    if measured and run.config.select_every >= run.config.epochs:
        facts["chosen_by"] = "last epoch"  # the only one that was measured
    return facts


def kid_summary(generators: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How good the generators are that synthetic images are judged by.

    Args:
        generators: From `describe`.

    Returns:
        `limit`, `measured` (generators with a KID), `above` (those over the
        limit), `median` and `worst` (None where none was measured), `words`.
    """
    found = [g["val_kid"] for g in generators if g["val_kid"] is not None]
    bad = [g for g in generators if (g["val_kid"] or 0) > KID_LIMIT]
    summary = {
        "limit": KID_LIMIT,
        "measured": len(found),
        "above": len(bad),
        "median": statistics.median(found) if found else None,
        "worst": max(found, default=None),
    }
    return summary | {"words": _kid_words(summary, bad)}


def _kid_words(
    summary: Mapping[str, Any], bad: Sequence[Mapping[str, Any]]
) -> str:
    """The KID of all generators in a sentence or two."""
    if not summary["measured"]:
        return "The KID of no generator was measured."
    line = (
        f"KID of {summary['measured']} generators on validation subjects: "
        f"median {summary['median']:.2f}, worst {summary['worst']:.2f}."
    )
    if not bad:
        return line
    names = "; ".join(
        f"split {g['split']} seed {g['seed']} {g['stage']} {g['plane']} "
        f"{g['fraction']} % ({g['val_kid']:.2f})"
        for g in bad[:_NAMED]
    )
    more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return (
        f"{line} Not good enough to judge synthetic images by, with a KID "
        f"above {KID_LIMIT}: {names}{more}. Train longer (--epochs) or on "
        "more subjects."
    )


def require_trained_within(
    run: Run, spec: GeneratorSpec, data: StudyData
) -> None:
    """Refuses a run that has seen subjects held out or outside a fraction.

    Args:
        run: The generator's.
        spec: What it is to serve as.
        data: Splits and subjects of the study.

    Raises:
        DataLeakageError: If it has, or was measured by a test subject.
    """
    split = data.splits[spec.split]
    seen = set(run.subjects)
    require_unseen(seen | set(run.validation), split.test, run=run.path)
    require_unseen(seen, split.validation, run=run.path)
    allowed = data.subjects(spec)
    require_within(seen, allowed, fraction=spec.fraction, run=run.path)
