"""Synthetic volumes beside those of phantom subjects nobody trained on."""

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.features.volume_encoder import train_volume_encoder
from pet_dcgan.metrics.atlas import OWN_CENTRE_MM
from pet_dcgan.metrics.distribution import (
    kid,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.roughness import axis_roughness
from pet_dcgan.metrics.volume_quality import volume_diversity
from pet_dcgan.metrics.volume_regions import regional_agreement, regional_means

STAGES = ("NC", "MCI", "AD")


class Judge:
    """What held-out phantom subjects and training ones have to compare with.

    Args:
        train: Training volumes.
        *held_out: Volumes of other subjects.
    """

    def __init__(self, train, *held_out):
        self.meta = train.meta
        self.train, self.trained = self._suvr(train), train.stages
        self.real = np.concatenate([self._suvr(each) for each in held_out])
        self.stages = np.concatenate([each.stages for each in held_out])
        self.subjects = np.concatenate([each.subjects for each in held_out])
        self.encoder = train_volume_encoder(
            self.train, subjects=train.subjects, seed=0
        )
        self.features = self.encoder.features(self.real)
        self.roughness = axis_roughness(self.real).mean(axis=0)

    def _suvr(self, volumes):
        return suvr_from_png(volumes.images, self.meta.suvr_max)

    def __call__(self, drawn):
        """Measures of volumes in SUVR by stage, medians of stages."""
        found = {"kid": [], "recall": [], "diversity": [], "regions": []}
        for stage, volumes in drawn.items():
            own = self.stages == stage
            features = self.encoder.features(volumes)
            found["kid"].append(kid(self.features[own], features).value)
            prdc = precision_recall_density_coverage(
                self.features[own], features[: own.sum()]
            )
            found["recall"].append(prdc.recall)
            of_synthetic, of_real = (
                1
                - volume_diversity(
                    each, dynamic_range=self.meta.suvr_max
                ).values.mean()
                for each in (volumes, self.real[own])
            )
            found["diversity"].append(of_synthetic / of_real)
            everyone = [self.real[own], self.train[self.trained == stage]]
            regions = [
                regional_means(
                    each,
                    spacing_mm=self.meta.spacing_mm,
                    centre_mm=OWN_CENTRE_MM,
                )
                for each in (np.concatenate(everyone), volumes)
            ]
            ratio = regional_agreement(*regions).error_ratio
            found["regions"].append(ratio)
        rough = np.mean(
            [axis_roughness(each).mean(axis=0) for each in drawn.values()],
            axis=0,
        )
        ratios = rough / self.roughness
        middle = {name: float(np.median(each)) for name, each in found.items()}
        axes = ("rough_x", "rough_y", "rough_z")
        named = dict(zip(axes, ratios.tolist(), strict=True))
        return {n: round(x, 4) for n, x in (middle | named).items()}
