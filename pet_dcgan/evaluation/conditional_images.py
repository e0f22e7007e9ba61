"""The images that the evaluation of a conditional run compares."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import PLANES, TrainConfig
from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.checks import require_options
from pet_dcgan.evaluation.images import (
    EvaluationImages,
    RealSlices,
    compared,
)
from pet_dcgan.evaluation.stage_slices import (
    StageSlices,
    joined,
    stage_slices,
)
from pet_dcgan.evaluation.synthetic_images import drawing, measured, searched
from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.models.condition_values import checked_values
from pet_dcgan.models.conditioned import asked, latent_length
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_images
from pet_dcgan.runs.run import Run

# what is looked at side by side: latents, at positions spread over a band
LATENTS, POSITIONS = 64, 6
# of the scans, that may lack slices at the first or the last position
_FEW = 0.02
# synthetic images of all stages and planes that must not be black
_SEEN = 256


@dataclasses.dataclass(frozen=True)
class ConditionalImages:
    """Everything that a conditional run is evaluated by.

    Args:
        config: The run's.
        conditions: What its generator is asked for.
        generator: The run's, with its conditions as inputs.
        seed: Of the first synthetic image, and of every random choice.
        count: Synthetic images of each stage and plane, or None for as many
            as there are held-out ones.
        slices: Real ones by plane and stage.
        whole: All stages and planes together, for the search for copies.
    """

    config: TrainConfig
    conditions: Conditions
    generator: keras.Model
    seed: int
    count: int | None
    slices: dict[tuple[str, str], StageSlices]
    whole: EvaluationImages

    @property
    def suvr_max(self) -> float:
        """SUVR of the network's +1."""
        return self.config.suvr_max

    def gap_mm(self, plane: str) -> float:
        """The distance between neighbouring slices of a scan, in mm.

        Args:
            plane: One that was trained on.
        """
        gaps = [np.diff(each) for each in self._by_scan(plane)]
        gaps = np.concatenate(gaps)
        gaps = gaps[gaps > 0]
        return float(np.median(gaps)) if len(gaps) else 0.0

    def positions_mm(self, plane: str) -> np.ndarray | None:
        """Positions to look at, evenly spread where most scans have slices.

        Args:
            plane: One that was trained on.

        Returns:
            float64 `[positions]` in mm; None where position is no condition.
        """
        if "position" not in self.conditions.names:
            return None
        firsts, lasts = zip(
            *((each.min(), each.max()) for each in self._by_scan(plane)),
            strict=True,
        )
        # where a scan begins depends on where its brain's centre lies
        ends = np.quantile(firsts, 1 - _FEW), np.quantile(lasts, _FEW)
        low, high = np.clip(ends, *self.conditions.bands_mm[plane])
        if low > high:
            low = high = (low + high) / 2
        return np.linspace(low, high, POSITIONS)

    def _by_scan(self, plane: str) -> list[np.ndarray]:
        """The positions of each training scan's slices, in mm."""
        return [
            slices.positions_mm[slices.scans == scan]
            for stage in self.conditions.stages
            for slices in [self.slices[plane, stage].training]
            for scan in np.unique(slices.scans)
        ]

    def of_cell(self, plane: str, stage: str) -> EvaluationImages | None:
        """The images of one stage and plane, as a run of these would have them.

        Args:
            plane: One that was trained on.
            stage: One that was trained on.

        Returns:
            The images, nothing of which is to be searched for copies; None
            with fewer than two held-out slices.
        """
        slices = self.slices[plane, stage]
        if slices.test is None or len(slices.test.images) < 2:
            return None
        test = _in_suvr(slices.test)
        real = compared(test, self.count, self.seed)
        config = dataclasses.replace(
            self.config,
            stage=stage,
            plane=plane,
            conditions="none",
            transition=False,
        )
        network = asked(self.generator, stage=stage, plane=plane)
        draw = drawing(network, config)
        seeds = np.arange(self.seed, self.seed + len(real.images))
        size = self.config.size
        return EvaluationImages(
            config=config,
            seed=self.seed,
            real=real,
            synthetic=measured(draw, seeds, self.suvr_max),
            searched=np.empty([0, size, size], np.float32),
            draw=draw,
            test=test,
            validation=_in_suvr(slices.validation, size),
            training=slices.training,
        )

    def stack(self, plane: str, stage: str) -> np.ndarray:
        """Images of the first latents at each of `positions_mm`.

        Args:
            plane: One that was trained on.
            stage: One that was trained on.

        Returns:
            float32 `[LATENTS, positions, size, size]` in SUVR; of one
            position, which the latent chooses, where that is no condition.
        """
        at = self.positions_mm(plane)
        places = [None] if at is None else at
        drawn = [self.at(plane, stage, place, LATENTS) for place in places]
        return np.stack(drawn, axis=1)

    def at(
        self,
        plane: str,
        stage: str | Sequence[float],
        position_mm: float | None,
        count: int,
    ) -> np.ndarray:
        """Images of the first latents at one position.

        Args:
            plane: One that was trained on.
            stage: A stage, or the weights of all three.
            position_mm: Within the band; None where it is no condition.
            count: Number of latents, at most `LATENTS`.

        Returns:
            float32 `[count, size, size]` in SUVR.
        """
        values = checked_values(
            self.conditions, stage=stage, plane=plane, position_mm=position_mm
        )
        rows = {
            "stage": values["stage"],
            "plane": [float(plane == name) for name in PLANES],
            "position_mm": [values["position_mm"]],
            # unknown
            "age": [np.nan],
            "sex": [np.nan],
        }
        inputs = {
            name: tf.constant([rows[name]] * count, tf.float32)
            for name in self.conditions.inputs
        }
        inputs["latent"] = self._latents[:count]
        images = suvr_from_images(
            self.generator(inputs, training=False), self.suvr_max
        ).numpy()
        require_finite(images)
        return images

    @functools.cached_property
    def _latents(self) -> tf.Tensor:
        """The latents of the first seeds, `[LATENTS, latent_dim]`."""
        seeds = np.arange(self.seed, self.seed + LATENTS)
        return latents_from_seeds(seeds, latent_length(self.generator))


def conditional_images(
    run: Run,
    *,
    data_dir: str | Path | None,
    count: int | None,
    seed: int,
    search: int,
) -> ConditionalImages:
    """Reads the real images of all stages, and opens the generator.

    Args:
        run: A finished run with conditions.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Synthetic images of each stage and plane, by default as many as
            there are held-out ones.
        seed: Seed of the first synthetic image, and of every random choice.
        search: Number of synthetic images of all stages and planes that are
            searched for copies.

    Raises:
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set does not
            fit the run, an option is out of range, or the generator's images
            are black or not finite.
    """
    require_options(seed=seed, search=search, count=count)
    generator, conditions = run.load_generator(), run.conditions
    slices = stage_slices(run, data_dir or run.config.data_dir)
    return ConditionalImages(
        config=run.config,
        conditions=conditions,
        generator=generator,
        seed=seed,
        count=count,
        slices=slices,
        whole=_whole(run.config, generator, slices, seed, search),
    )


def _whole(
    config: TrainConfig,
    generator: keras.Model,
    slices: dict[tuple[str, str], StageSlices],
    seed: int,
    search: int,
) -> EvaluationImages:
    """All stages and planes together; conditions can be copied across."""
    test, validation = (
        [getattr(each, name) for each in slices.values()]
        for name in ("test", "validation")
    )
    if not any(test):
        raise ValueError(
            "expected held-out slices of one stage or more, found none: "
            "prepare more scans"
        )
    held_out = _in_suvr(joined([each for each in test if each]))
    draw = drawing(asked(generator), config)
    seeds = np.arange(seed, seed + min(search, _SEEN))
    synthetic = measured(draw, seeds, config.suvr_max)
    others = [each for each in validation if each]
    return EvaluationImages(
        config=config,
        seed=seed,
        real=held_out,
        synthetic=synthetic,
        searched=searched(draw, synthetic, seed, search),
        draw=draw,
        test=held_out,
        validation=_in_suvr(joined(others) if others else None, config.size),
        training=joined([each.training for each in slices.values()]),
    )


def _in_suvr(slices: Slices | None, size: int = 0) -> RealSlices:
    """The images in SUVR, and their subjects; none of no slices."""
    if slices is None:
        none = np.empty([0, size, size], np.float32)
        return RealSlices(none, np.array([], str))
    suvr = suvr_from_png(slices.images, slices.meta.suvr_max)
    return RealSlices(suvr, slices.subjects)
