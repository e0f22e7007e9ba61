"""The images that an evaluation compares: real, synthetic and training ones."""

import dataclasses
import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.leakage import named, require_disjoint
from pet_dcgan.data.prepared_set import Slices, load_slices, subjects_of
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.checks import require_options, require_same_set
from pet_dcgan.evaluation.synthetic_images import (
    SEARCHED,
    Draw,
    drawing,
    measured,
    searched,
)
from pet_dcgan.runs.run import Run
from pet_dcgan.training.suspected_copies import centred_stored

# synthetic images that are measured by default, at least
_SYNTHETIC = 1000


def evenly_spaced(total: int, count: int) -> np.ndarray:
    """Row numbers spread evenly over a set.

    Args:
        total: Rows of the set.
        count: How many of them are wanted, at most `total`.

    Returns:
        int64 `[count]`, from the first row to the last.
    """
    return np.linspace(0, total - 1, count).round().astype(int)


class RealSlices(NamedTuple):
    """Real slices, ordered by subject.

    Args:
        images: float32 `[n, size, size]` in SUVR.
        subjects: The subject of each, text `[n]`.
    """

    images: np.ndarray
    subjects: np.ndarray

    @property
    def subject_count(self) -> int:
        """Number of different subjects."""
        return len(np.unique(self.subjects))

    def rows(self, rows: np.ndarray) -> "RealSlices":
        """The slices of some rows.

        Args:
            rows: Row numbers int64 `[k]`, or a mask bool `[n]`.
        """
        return RealSlices(self.images[rows], self.subjects[rows])


class Samples(NamedTuple):
    """Equally many images of each kind.

    The kinds are `"real"` (of the test split), `"synthetic"`, and `"others"`:
    real ones of the validation split, absent where that has none.

    Args:
        images: By kind, `[n, size, size]` in SUVR.
        subjects: By kind, `[n]`; each synthetic image counts as one subject.
        seed: Of every random choice.
    """

    images: dict[str, np.ndarray]
    subjects: dict[str, np.ndarray]
    seed: int


@dataclasses.dataclass(frozen=True)
class EvaluationImages:
    """All images that the numbers of an evaluation come from.

    Args:
        config: The run's.
        seed: Of the first synthetic image and of every random choice.
        real: Held-out slices of the test split that are compared `[n]`.
        synthetic: `[m, size, size]` in SUVR, `m >= n`; the first `n` are
            compared, all are measured for diversity.
        searched: What is searched for copies: `centred` images of the seeds
            from `seed`, float32 `[s, 32, 32]`, `s >= m`; the first `m` are
            those of `synthetic`.
        draw: Gives the images `[k, size, size]` in SUVR of seeds `[k]`.
        test: Every slice of the test split.
        validation: Slices of the validation split; there may be none.
        training: What the run trained on.
    """

    config: TrainConfig
    seed: int
    real: RealSlices
    synthetic: np.ndarray
    searched: np.ndarray
    draw: Draw
    test: RealSlices
    validation: RealSlices
    training: Slices

    @property
    def compared(self) -> np.ndarray:
        """Synthetic images `[n, size, size]`, as many as real ones."""
        return self.synthetic[: len(self.real.images)]

    @property
    def training_suvr(self) -> np.ndarray:
        """The training slices in SUVR `[n, size, size]`."""
        return suvr_from_png(self.training.images, self.config.suvr_max)

    @functools.cached_property
    def centred_training(self) -> np.ndarray:
        """The training slices `centred`, float32 `[n, 32, 32]`."""
        return centred_stored(self.training.images, self.config.suvr_max)

    @property
    def samples(self) -> Samples:
        """Equally many images of each kind, for numbers of whole sets."""
        others = len(self.validation.images)
        count = len(self.real.images)
        if others:
            count = min(count, others)
        real = self.real.rows(evenly_spaced(len(self.real.images), count))
        images = {"real": real.images, "synthetic": self.synthetic[:count]}
        subjects = {"real": real.subjects, "synthetic": np.arange(count)}
        if others:
            rows = evenly_spaced(others, count)
            images["others"], subjects["others"] = self.validation.rows(rows)
        return Samples(images, subjects, self.seed)


def evaluation_images(
    run: Run,
    *,
    data_dir: str | Path | None,
    count: int | None,
    seed: int,
    search: int = SEARCHED,
) -> EvaluationImages:
    """Reads the real images and generates the synthetic ones.

    Args:
        run: A finished run.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Number of synthetic images, by default 1,000 or as many as
            there are held-out ones, if those are more. As many real ones are
            compared, or all.
        seed: Seed of the first synthetic image and of the choice of real
            ones.
        search: Number of synthetic images that are searched for copies, at
            least; all that are measured are.

    Raises:
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set does not
            fit the run, `count` or `search` is out of range, or the
            generator's images are black or not finite.
    """
    require_options(seed=seed, search=search, count=count)
    generator = run.load_generator()
    config = run.config
    place = data_dir or config.data_dir
    slices = _load(config, place, "test")
    require_same_set(config, slices)
    # nor may one of them have chosen the generator
    require_disjoint([*run.subjects, *run.validation], slices.subjects)
    test = _in_suvr(slices)
    real = compared(test, count, seed)
    if count is None:
        count = max(_SYNTHETIC, len(test.images))
    draw = drawing(generator, config)
    synthetic = measured(draw, np.arange(seed, seed + count), config.suvr_max)
    return EvaluationImages(
        config=config,
        seed=seed,
        real=real,
        synthetic=synthetic,
        searched=searched(draw, synthetic, seed, search),
        draw=draw,
        test=test,
        validation=_validation(run, place),
        training=_training(run, place),
    )


def _load(
    config: TrainConfig, place: str | Path, split: str, **options: Any
) -> Slices:
    """The slices of the run's stage and plane in a split."""
    return load_slices(
        place,
        config.dataset,
        split=split,
        stage=config.stage,
        plane=config.plane,
        **options,
    )


def _in_suvr(slices: Slices) -> RealSlices:
    """The images in SUVR, and their subjects."""
    suvr = suvr_from_png(slices.images, slices.meta.suvr_max)
    return RealSlices(suvr, slices.subjects)


def compared(test: RealSlices, count: int | None, seed: int) -> RealSlices:
    """`count` of the test slices at random, or all of them.

    Args:
        test: Every held-out slice.
        count: How many are wanted; None for all.
        seed: Seed of the choice.

    Raises:
        ValueError: If there are fewer than two.
    """
    total = len(test.images)
    if total < 2:
        raise ValueError(
            "expected two or more held-out slices, found 1: prepare more scans"
        )
    if count is None or count >= total:
        return test
    random = np.random.default_rng(seed)
    return test.rows(np.sort(random.choice(total, count, replace=False)))


def _validation(run: Run, place: str | Path) -> RealSlices:
    """The validation slices of the run's stage and plane, if any."""
    config = run.config
    split = {
        "data_dir": place,
        "dataset": config.dataset,
        "split": "validation",
    }
    require_disjoint(run.subjects, subjects_of(**split))
    if subjects_of(**split, stage=config.stage):
        return _in_suvr(_load(config, place, "validation"))
    none = np.empty([0, config.size, config.size], np.float32)
    return RealSlices(none, np.array([], str))


def _training(run: Run, place: str | Path) -> Slices:
    """The slices that the run trained on."""
    slices = _load(run.config, place, "train", subjects=set(run.subjects))
    lost = sorted(set(run.subjects) - set(slices.subjects))
    if lost:
        raise ValueError(
            f"expected the run's {len(run.subjects)} training subjects in the "
            f"set, found none of {named(lost)}: give the --data-dir the run "
            "was trained on"
        )
    return slices
