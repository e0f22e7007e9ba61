"""How well `prepare --register affine` brings known anatomy to its place.

Phantoms know which place of the template each of their voxels shows. For every
voxel of their brains the distance in mm between that place and the one that
registration gives, beside the best affine there is (the rest are the
phantom's own bends), and beside brains that are only centred, as without
`--register`. Then the same scans the wrong way round, whose correlation with
the template is what refuses them.

    python benchmarks/registration.py --subjects 6

Needs pet-dcgan[register]; half a minute of one core a subject.
"""

import argparse
import dataclasses
import statistics
import time

import nibabel as nib
import numpy as np
import reporting

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID
from tfds_adni.phantom.render import coordinates, render
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.volumes import affine_registration
from tfds_adni.volumes.affine_registration import register
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import scale_to_suvr
from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.pet_template import pet_template
from tfds_adni.volumes.volume import Volume

STAGES = ("NC", "MCI", "AD")
CENTRE = np.array((0.0, -22.6, 7.9))
EVERY = 4


def anatomy_of(subject, anatomy):
    """Voxels of a scan's brain, and their places in the template."""
    true = coordinates(subject, anatomy)
    template = pet_template()
    voxels = EVERY * np.argwhere(
        np.isfinite(true[:, ::EVERY, ::EVERY, ::EVERY]).all(0)
    )
    places = true[(slice(None), *voxels.T)].T
    index = np.rint(
        nib.affines.apply_affine(np.linalg.inv(template.affine), places)
    ).astype(int)
    known = np.all((index >= 0) & (index < template.brain.shape), axis=1)
    known[known] = template.brain[tuple(index[known].T)]
    return voxels[known], places[known]


def measured(number):
    """A row of one subject."""
    subject = make_subject(STAGES[number % 3], number)
    anatomy = build_anatomy(float(ADNI_GRID.steps[0]))
    data = render(subject, anatomy)
    volume = Volume(data=data, spacing=tuple(ADNI_GRID.steps.tolist()))
    found = find_brain(volume)
    brain = scale_to_suvr(volume, found)
    start = time.process_time()
    fit = register(brain)
    seconds = time.process_time() - start
    voxels, places = anatomy_of(subject, anatomy)
    design = np.c_[voxels, np.ones(len(voxels))]
    weights, *_ = np.linalg.lstsq(design, places, rcond=None)
    centred = (voxels - np.array(found.centre)) * volume.spacing + CENTRE
    given = nib.affines.apply_affine(fit.affine, voxels)
    row = {"stage": subject.stage, "correlation": fit.similarity}
    for name, these in {
        "registered": given,
        "best affine": design @ weights,
        "centred": centred,
    }.items():
        away = np.linalg.norm(these - places, axis=1)
        row[f"{name}, median mm"] = float(np.median(away))
        row[f"{name}, 95 %"] = float(np.percentile(away, 95))
    row["processor s"] = seconds
    return row | {"wrong way round": "; ".join(wrong_ways(brain))}


def wrong_ways(brain):
    """What becomes of the scan back to front and upside down."""
    for axis, name in ((1, "back to front"), (2, "upside down")):
        centre = list(brain.centre)
        centre[axis] = brain.suvr.shape[axis] - 1 - centre[axis]
        turned = dataclasses.replace(
            brain,
            suvr=np.ascontiguousarray(np.flip(brain.suvr, axis)),
            centre=tuple(centre),
        )
        try:
            fit = register(turned)
        except VolumeError as error:
            said = str(error).removeprefix("not registered: ").split(";")[0]
            yield f"{name}: {said}"
        else:
            yield f"{name}: used, {fit.similarity:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=6)
    reporting.add_out(parser)
    options = parser.parse_args()
    affine_registration.require_method("affine")
    machine = reporting.machine()
    pet_template()
    rows = [measured(number) for number in range(options.subjects)]
    reporting.print_table(rows)
    for name in ("registered", "best affine", "centred"):
        found = statistics.median(row[f"{name}, median mm"] for row in rows)
        print(f"{name}: {found:.1f} mm")
    reporting.write({"machine": machine, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
