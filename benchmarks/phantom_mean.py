"""Mean of some phantoms without scalp, to be held against a real mean.

Real means are made of scans brought to one position and size, so each
phantom's own position and size are left out; its bends stay.

Usage: python benchmarks/phantom_mean.py MEAN.nii.gz [COUNT] [STAGE]
"""

import dataclasses
import sys

import nibabel as nib
import numpy as np

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.render import ADNI_GRID, render
from tfds_adni.phantom.subjects import make_subject


def main(path, count="20", stage="NC"):
    anatomy = build_anatomy(ADNI_GRID.spacing)
    bare = np.zeros_like(anatomy.outside)
    anatomy = dataclasses.replace(anatomy, outside=bare)
    total = np.zeros(ADNI_GRID.shape, np.float64)
    for number in range(int(count)):
        volume = render(centred(make_subject(stage, number)), anatomy)
        total += volume / volume[volume > 0.3 * volume.max()].mean()
    step = ADNI_GRID.spacing
    affine = np.diag([step, step, step, 1])
    affine[:3, 3] = -step * (np.array(ADNI_GRID.shape) - 1) / 2
    mean = (total / int(count)).astype(np.float32)
    nib.save(nib.Nifti1Image(mean, affine), path)


def centred(subject):
    none = np.zeros_like(subject.tilt)
    return dataclasses.replace(
        subject, tilt=none, shift=none, scale=np.full(3, 0.93)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
