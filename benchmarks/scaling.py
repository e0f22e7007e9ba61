"""What is left of a planted loss when a volume is divided by its brain's mean.

Simulated subjects of AD, each beside itself without the disease: no noise, no
scanner, no registration, no bends. The change of each region is given in
percent, over the pons, which hardly changes, and over the mean of the brain, by
the mask that `prepare` takes. "True" is the uptake of the region's own tissue;
"blurred" is the mean over the region in a volume of 8 mm, where tissue around
it counts too and cortex has become thinner.

Usage: python benchmarks/scaling.py [SUBJECTS], 100 by default
"""

import argparse
from unittest import mock

import numpy as np
from scipy import ndimage

from tfds_adni.phantom import render as rendering
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import blur_mm
from tfds_adni.phantom.regions import REGIONS
from tfds_adni.phantom.subjects import FOLDS, make_subject
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume

SPACING = 3.0
NAMES = [region.name for region in REGIONS]
PONS = NAMES.index("pons")
SHOWN = (
    "posterior cingulate",
    "precuneus",
    "inferior parietal",
    "lateral temporal",
    "postcentral",
    "pericalcarine",
    "cerebellar cortex",
    "pons",
)
COLUMNS = (
    "true, over the pons",
    "true, over the brain's mean",
    "blurred, over the pons",
    "blurred, over the brain's mean",
)


def regions(anatomy, subject):
    """The grey matter of each region in somebody's own folds, `[v, r]`."""
    grey, _ = anatomy.tissue(subject.stream(FOLDS))
    both = anatomy.cortex.multiply(grey[:, None]).tocsr() + anatomy.nuclei
    return both[:, : len(NAMES)] + both[:, len(NAMES) :]


def measured(anatomy, subject, weights):
    """Regional means in each way, `[4, r]`."""
    true = subject.uptake().mean(axis=0)
    with mock.patch.object(rendering, "bend", lambda head, *_: head):
        sharp = rendering.activity(subject, anatomy)
    volume = ndimage.gaussian_filter(sharp, blur_mm() / SPACING, truncate=3)
    brain = find_brain(Volume(data=volume, spacing=(SPACING,) * 3)).mean
    sums = weights.T @ volume.ravel()[anatomy.index]
    blurred = sums / np.asarray(weights.sum(axis=0)).ravel()
    by_pons = true / true[PONS], blurred / blurred[PONS]
    return np.stack([by_pons[0], true / brain, by_pons[1], blurred / brain])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", type=int, nargs="?", default=100)
    count = parser.parse_args().subjects
    anatomy = build_anatomy(SPACING)
    changes = []
    for number in range(count):
        subject = make_subject("AD", number)
        weights = regions(anatomy, subject)
        pair = subject, subject.without_disease()
        ill, well = (measured(anatomy, one, weights) for one in pair)
        changes.append(100 * (ill / well - 1))
    mean = np.mean(changes, axis=0)
    error = np.std(changes, axis=0, ddof=1) / np.sqrt(len(changes))
    print(f"| region | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name in SHOWN:
        at = NAMES.index(name)
        print(f"| {name} | {' | '.join(f'{v:+.1f}' for v in mean[:, at])} |")
    print(f"\n{count} phantoms of AD; largest standard error {error.max():.1f}")


if __name__ == "__main__":
    main()
