"""The images whose contrast of two stages a study compares."""

from collections.abc import Iterator, Mapping

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.runs.run import Run
from pet_dcgan.study.contrast import ContrastSplit, StageSlices
from pet_dcgan.study.data import StudyData
from pet_dcgan.study.generator_specs import GeneratorSpec, spec_of
from pet_dcgan.study.generators import generate_stored
from pet_dcgan.study.splits import Place


def contrast_splits(
    data: StudyData, generators: Mapping[GeneratorSpec, Run], kind: str
) -> Iterator[ContrastSplit]:
    """The images of each split, of the largest fraction and the first plane.

    Of several seeds the first one is taken. There are as many synthetic
    images as real ones were trained on.

    Args:
        data: Settings, slices and subjects of the study.
        generators: All of a finished study.
        kind: Which of them draw, `"separate"` or `"conditional"`.

    Yields:
        Slices in SUVR by stage, one split after the other.
    """
    settings = data.settings
    plane, fraction = settings.planes[0], settings.fractions[-1]
    for split in data.splits:
        training, held_out, synthetic = {}, {}, {}
        for stage in settings.classes:
            place = Place(split.number, 0, fraction)
            spec = spec_of(kind, place, plane, stage, settings)
            own = data.subjects(place, stage)
            training[stage] = _real(data, plane, stage, own)
            held_out[stage] = _real(data, plane, stage, split.test)
            synthetic[stage] = suvr_from_png(
                generate_stored(
                    generators[spec],
                    count=len(training[stage].images),
                    seed=spec.seed,
                    stage=stage,
                    plane=plane,
                ),
                data.meta.suvr_max,
            )
        yield ContrastSplit(training, held_out, synthetic)


def _real(
    data: StudyData,
    plane: str,
    stage: str,
    subjects: set[str] | frozenset[str],
) -> StageSlices:
    """The slices of some subjects at one stage."""
    found = data.slices[plane].of(subjects)
    rows = found.labels == data.settings.classes.index(stage)
    return StageSlices(
        suvr_from_png(found.images[rows], data.meta.suvr_max),
        found.subjects[rows],
        np.asarray(found.positions_mm[rows]),
    )
