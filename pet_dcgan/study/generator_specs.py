"""Which generators a study needs, and which of them draws what."""

import dataclasses
import itertools

from pet_dcgan.config import ALL_PLANES, ALL_STAGES
from pet_dcgan.study.settings import CONDITIONAL, StudySettings
from pet_dcgan.study.splits import Place


@dataclasses.dataclass(frozen=True, order=True)
class GeneratorSpec(Place):
    """One generator of a study, of a plane and stage at a place in it.

    A conditional one is of stage `"ALL"`, and of plane `"ALL"` where the study
    has several.
    """

    plane: str
    stage: str

    @property
    def conditional(self) -> bool:
        """Whether it is one for all stages."""
        return self.stage == ALL_STAGES

    @property
    def folder(self) -> str:
        """Where it lies in the study's folder, if the study trains it."""
        name = f"{self.stage.lower()}_{self.plane}_{self.fraction}_{self.seed}"
        return f"split_{self.split}/generators/{name}"

    def __str__(self) -> str:
        plane = f" {self.plane}" if self.plane != ALL_PLANES else ""
        stage = "all stages" if self.conditional else self.stage
        return f"{stage}{plane}, {self.fraction} % of the subjects"


def generator_specs(settings: StudySettings) -> list[GeneratorSpec]:
    """Every generator that a study needs."""
    specs = [
        spec_of(kind, Place(*place), plane, stage, settings)
        for *place, kind, plane, stage in itertools.product(
            range(settings.splits),
            range(settings.seeds),
            settings.fractions,
            settings.generators,
            settings.planes,
            settings.classes,
        )
    ]
    return list(dict.fromkeys(specs))


def spec_of(
    kind: str, place: Place, plane: str, stage: str, settings: StudySettings
) -> GeneratorSpec:
    """The generator that draws images of a plane and stage.

    Args:
        kind: `"separate"` or `"conditional"`.
        place: Where in the study.
        plane: Of the images.
        stage: Of the images.
        settings: Those of the study.
    """
    if kind == CONDITIONAL:
        plane = ALL_PLANES if len(settings.planes) > 1 else plane
        stage = ALL_STAGES
    return GeneratorSpec(place.split, place.seed, place.fraction, plane, stage)
