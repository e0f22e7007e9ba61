"""The volumes that the evaluation of a generator of volumes compares."""

import dataclasses
import functools
from pathlib import Path

import keras
import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import VOLUME, TrainConfig
from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.checks import require_options
from pet_dcgan.evaluation.images import (
    EvaluationImages,
    RealSlices,
    evenly_spaced,
)
from pet_dcgan.evaluation.stage_slices import (
    StageSlices,
    joined,
    stage_slices,
)
from pet_dcgan.evaluation.synthetic_images import drawing, measured, searched
from pet_dcgan.models.conditioned import asked
from pet_dcgan.runs.run import Run

# synthetic volumes of each stage that are measured by default, at least
_SYNTHETIC = 64


@dataclasses.dataclass(frozen=True)
class VolumeImages:
    """Everything that a generator of volumes is evaluated by.

    Args:
        config: The run's.
        conditions: What its generator is asked for; None of one stage.
        generator: The run's.
        seed: Of the first synthetic volume, and of every random choice.
        count: Synthetic volumes of each stage; None for the default.
        slices: Real volumes by stage.
        whole: All stages together, for the search for copies.
    """

    config: TrainConfig
    conditions: Conditions | None
    generator: keras.Model
    seed: int
    count: int | None
    slices: dict[str, StageSlices]
    whole: EvaluationImages

    @property
    def stages(self) -> tuple[str, ...]:
        """Those that the run was trained on, in order."""
        return tuple(self.slices)

    @property
    def suvr_max(self) -> float:
        """SUVR of the network's +1."""
        return self.config.suvr_max

    def real(self, stage: str, *splits: str) -> RealSlices:
        """The volumes of real subjects.

        Args:
            stage: One that was trained on.
            *splits: `"training"`, `"test"`, `"validation"`.

        Returns:
            Volumes `[n, size, size, size]` in SUVR and their subjects; `n`
            may be 0.
        """
        parts = [getattr(self.slices[stage], name) for name in splits]
        parts = [part for part in parts if part is not None]
        return _in_suvr(joined(parts) if parts else None, self.config.size)

    def held_out(self, stage: str) -> RealSlices:
        """The volumes of test and validation subjects.

        That some of them helped to choose an epoch hardly shows in means and
        spreads, and there are few enough of both together.

        Args:
            stage: One that was trained on.
        """
        return self.real(stage, "test", "validation")

    def synthetic(self, stage: str) -> np.ndarray:
        """The volumes of the first seeds at a stage.

        Of a run with conditions, those of one seed are of one latent at every
        stage.

        Args:
            stage: One that was trained on.

        Returns:
            float32 `[n, size, size, size]` in SUVR.

        Raises:
            ValueError: If all are black or uniform, or a value is not finite.
        """
        return self._synthetic[stage]

    @functools.cached_property
    def _synthetic(self) -> dict[str, np.ndarray]:
        """Synthetic volumes by stage, equally many of each."""
        most = max(len(self.held_out(s).images) for s in self.stages)
        count = self.count or max(_SYNTHETIC, most)
        seeds = np.arange(self.seed, self.seed + count)
        found = {}
        for stage in self.stages:
            network = self.generator
            if self.conditions is not None:
                network = asked(self.generator, stage=stage)
            draw = drawing(network, self.config)
            found[stage] = measured(draw, seeds, self.suvr_max)
        return found

    @functools.cached_property
    def compared(self) -> EvaluationImages:
        """Equally many volumes of each kind and stage, for whole sets.

        Stages are mixed alike in real, synthetic and other real volumes, so
        that their mixture is no difference between them.
        """
        kinds = {"test": [], "validation": [], "synthetic": []}
        splits = ["test"]
        if any(each.validation for each in self.slices.values()):
            splits.append("validation")
        for stage in self.stages:
            found = {name: self.real(stage, name) for name in splits}
            # a stage that one split lacks is left out of the other
            least = min(len(each.images) for each in found.values())
            for name in ("test", "validation"):
                each = found.get(name, self.real(stage))
                rows = evenly_spaced(len(each.images), least * (name in found))
                kinds[name].append(each.rows(rows))
            kinds["synthetic"].append(self.synthetic(stage)[:least])
        test, validation = (_joined(kinds[n]) for n in ("test", "validation"))
        return dataclasses.replace(
            self.whole,
            real=test,
            test=test,
            validation=validation,
            synthetic=np.concatenate(kinds["synthetic"]),
            searched=self.whole.searched[:0],
        )


def volume_images(
    run: Run,
    *,
    data_dir: str | Path | None,
    count: int | None,
    seed: int,
    search: int,
) -> VolumeImages:
    """Reads the real volumes of all stages, and opens the generator.

    Args:
        run: A finished run of volumes, with conditions or of one stage.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Synthetic volumes of each stage, by default 64 or as many as
            there are held-out ones, if those are more.
        seed: Seed of the first synthetic volume, and of every random choice.
        search: Number of synthetic volumes of all stages that are searched
            for copies.

    Raises:
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set does not
            fit the run, an option is out of range, or the generator's volumes
            are black or not finite.
    """
    require_options(seed=seed, search=search, count=count)
    generator = run.load_generator()
    found = stage_slices(run, data_dir or run.config.data_dir)
    slices = {stage: each for (_, stage), each in found.items()}
    return VolumeImages(
        config=run.config,
        conditions=run.conditions,
        generator=generator,
        seed=seed,
        count=count,
        slices=slices,
        whole=_whole(run, generator, slices, seed, search),
    )


def _whole(
    run: Run,
    generator: keras.Model,
    slices: dict[str, StageSlices],
    seed: int,
    search: int,
) -> EvaluationImages:
    """All stages together; the subjects of one can be copied into another."""
    config, size = run.config, run.config.size
    test, validation = (
        [getattr(each, name) for each in slices.values()]
        for name in ("test", "validation")
    )
    test, validation = ([x for x in each if x] for each in (test, validation))
    if not test:
        raise ValueError(
            "expected held-out volumes of one stage or more, found none: "
            "prepare more scans"
        )
    held_out = _in_suvr(joined(test), size)
    network = generator if run.conditions is None else asked(generator)
    draw = drawing(network, config)
    seeds = np.arange(seed, seed + min(search, _SYNTHETIC))
    synthetic = measured(draw, seeds, config.suvr_max)
    return EvaluationImages(
        config=config,
        seed=seed,
        real=held_out,
        synthetic=synthetic,
        searched=searched(draw, synthetic, seed, search),
        draw=draw,
        test=held_out,
        validation=_in_suvr(joined(validation) if validation else None, size),
        training=joined([each.training for each in slices.values()]),
    )


def is_volume_run(run: Run) -> bool:
    """Whether a run's generator makes volumes.

    Args:
        run: Finished or not.
    """
    return run.config.plane == VOLUME


def _joined(parts: list[RealSlices]) -> RealSlices:
    """Volumes of several stages as one."""
    return RealSlices(*map(np.concatenate, zip(*parts, strict=True)))


def _in_suvr(slices: Slices | None, size: int) -> RealSlices:
    """The volumes in SUVR, and their subjects; none of no slices."""
    if slices is None:
        none = np.empty([0, size, size, size], np.float32)
        return RealSlices(none, np.array([], str))
    suvr = suvr_from_png(slices.images, slices.meta.suvr_max)
    return RealSlices(suvr, slices.subjects)
