"""The mean of some phantoms against the mean of real scans.

Position and size are kept out: each phantom is registered affinely to the
template on its own. Both are masked, the template by the file that comes with
it, the phantoms by their own brains; the registration looks only inside the
template's mask, whose lower border is a cut through the brain and no shape of
it. The second row is as the first phantom was measured: the template masked
and not the phantom, their mean registered to that border, and compared only
where a threshold finds a brain in both, which leaves deep white matter out.

Usage: python benchmarks/phantom_realism.py TEMPLATE_FOLDER [COUNT]
       [--out JSON] [--picture PNG]

The folder holds CN_PET_TEMPLATE.nii and CN_PET_TEMPLATE_MASK.nii of
github.com/DlutMedimgGroup/Chinese-Brain-PET-Template (MIT): 116 adults. About
10 s of processor time a phantom. It needs SimpleITK and scikit-image, which
nothing else here does.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from reporting import add_out, print_table, write
from scipy import ndimage

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject

try:
    import SimpleITK
    from skimage.metrics import structural_similarity
except ImportError as error:
    sys.exit(
        f"expected SimpleITK and scikit-image, found no {error.name}: run "
        "pip install SimpleITK scikit-image"
    )

EDGE = 0.25  # of a phantom's bright voxels: the border of its brain
SHEET = range(30, 62)  # the template's slices whose similarity is measured
SLAB = 6  # voxels of 2 mm: one value of the back-to-front profile
STAGE = "NC"


def main():
    options = _options()
    template, affine, mask = _template(options.folder)
    heads = _aligned(options.count, template, affine, mask)
    mean = np.mean([head["brain"] for head in heads], axis=0)
    own = np.mean([head["mask"] for head in heads], axis=0) > 0.5
    both = ndimage.binary_erosion(mask & own)
    real, made = scaled(template, both), scaled(mean, both)
    rows = [
        {"measured": "both masked"}
        | likeness(real * both, made * both, both)
        | {"Dice": dice(mask, own)},
        {"measured": "as before"} | _as_before(template * mask, affine, heads),
    ]
    print("phantom against the mean of real scans")
    print_table(rows)
    print()
    profile = _profile(real, made, both)
    print_table(profile)
    if options.picture:
        _draw(real * both, made * both, options.picture)
    result = {"subjects": options.count, "rows": rows, "profile": profile}
    write(result, options.out)


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the template")
    parser.add_argument("count", type=int, nargs="?", default=12)
    parser.add_argument("--picture", type=Path, help="write a PNG here")
    add_out(parser)
    return parser.parse_args()


def _template(folder):
    """The template, its affine and its mask, all in RAS order."""
    names = "CN_PET_TEMPLATE.nii", "CN_PET_TEMPLATE_MASK.nii"
    for name in names:
        if not (folder / name).is_file():
            sys.exit(f"expected {name} in {folder}, found none: download it")
    images = [nib.as_closest_canonical(nib.load(folder / n)) for n in names]
    real, inside = (np.squeeze(np.asarray(i.dataobj)) for i in images)
    # the mask has the template's grid; its header says another origin
    return real.astype(np.float32), images[0].affine, inside > 0


def _aligned(count, template, affine, mask):
    """Some phantoms on the template's grid, with and without a scalp."""
    anatomy = build_anatomy(ADNI_GRID.spacing)
    bare = dataclasses.replace(anatomy, outside=anatomy.outside * 0)
    fixed = to_itk(template, affine)
    heads = []
    for number in range(count):
        subject = make_subject(STAGE, number)
        brain = render(subject, bare)
        own = brain_mask(brain)
        moving = to_itk(brain, grid_affine())
        pose = register(fixed, moving, ndimage.binary_erosion(mask))
        volumes = {
            "brain": brain / brain[own].mean(),
            "mask": own.astype(np.float32),
            "head": render(subject, anatomy) / brain[own].mean(),
        }
        heads.append(
            {
                name: moved(to_itk(volume, grid_affine()), fixed, pose)
                for name, volume in volumes.items()
            }
        )
    return heads


def grid_affine():
    """The affine of a phantom's grid, whose centre is the origin."""
    step = ADNI_GRID.spacing
    affine = np.diag([step, step, step, 1])
    affine[:3, 3] = -step * (np.array(ADNI_GRID.shape) - 1) / 2
    return affine


def brain_mask(volume):
    """The brain of a phantom without a scalp, ventricles and all."""
    bright = np.percentile(volume[volume > 0.05 * volume.max()], 95)
    return _largest(ndimage.binary_closing(volume > EDGE * bright, None, 4))


def _thresholded(volume):
    """What `phantom_realism.py` of the first phantom took for the brain."""
    bright = np.percentile(volume[volume > 0.05 * volume.max()], 95)
    return _largest(ndimage.binary_opening(volume > 0.35 * bright, None, 2))


def _largest(mask):
    labels, _ = ndimage.label(mask)
    biggest = np.bincount(labels[labels > 0]).argmax()
    return ndimage.binary_fill_holes(labels == biggest)


def to_itk(volume, affine):
    image = SimpleITK.GetImageFromArray(
        np.ascontiguousarray(volume.T.astype(np.float32))
    )
    image.SetSpacing([float(v) for v in np.abs(np.diag(affine)[:3])])
    image.SetOrigin([float(v) for v in affine[:3, 3]])
    return image


def moved(image, fixed, pose):
    """A volume on the template's grid, `(x, y, z)`."""
    linear = SimpleITK.sitkLinear
    image = SimpleITK.Resample(image, fixed, pose, linear, 0.0)
    return SimpleITK.GetArrayFromImage(image).T


def register(fixed, moving, around):
    """The affine that lays a head on the template: twelve numbers."""
    mask = SimpleITK.GetImageFromArray(
        np.ascontiguousarray(around.T.astype(np.uint8))
    )
    mask.CopyInformation(fixed)
    best = SimpleITK.CenteredTransformInitializer(
        fixed,
        moving,
        SimpleITK.AffineTransform(3),
        SimpleITK.CenteredTransformInitializerFilter.MOMENTS,
    )
    for metric in "mutual", "correlation":
        method = SimpleITK.ImageRegistrationMethod()
        if metric == "mutual":
            method.SetMetricAsMattesMutualInformation(64)
        else:
            method.SetMetricAsCorrelation()
        method.SetMetricFixedMask(mask)
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(0.3)
        method.SetInterpolator(SimpleITK.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 300)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([4, 2, 1])
        method.SetInitialTransform(best, inPlace=False)
        found = SimpleITK.CompositeTransform(method.Execute(fixed, moving))
        best = SimpleITK.AffineTransform(found.GetBackTransform())
    return best


def _as_before(template, affine, heads):
    """The same figures as the first phantom's script measured them."""
    fixed = to_itk(template, affine)
    mean = to_itk(np.mean([head["head"] for head in heads], axis=0), affine)
    brain = _thresholded(template)
    around = ndimage.binary_dilation(brain, iterations=3)
    made = moved(mean, fixed, register(fixed, mean, around))
    own = _thresholded(made)
    both = ndimage.binary_erosion(brain & own)
    figures = likeness(scaled(template, both), scaled(made, both), both)
    return figures | {"Dice": dice(brain, own)}


def scaled(volume, mask):
    return volume / volume[mask].mean()


def likeness(real, made, both):
    """Correlation inside a mask, and SSIM (Wang 2004) of middle slices."""
    similar = [
        structural_similarity(real[:, :, z], made[:, :, z], data_range=2)
        for z in SHEET
    ]
    return {
        "correlation": float(np.corrcoef(real[both], made[both])[0, 1]),
        "SSIM": float(np.mean(similar)),
    }


def dice(one, other):
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def _profile(real, made, both):
    """Mean uptake of slabs from back to front, and where they differ most."""
    rows = []
    for first in range(10, 102, SLAB):
        slab = slice(first, first + SLAB)
        inside = both[:, slab]
        if inside.sum() < 500:
            continue
        one, other = real[:, slab][inside], made[:, slab][inside]
        rows.append(
            {
                "voxels from the back": f"{first} to {first + SLAB}",
                "real": float(one.mean()),
                "phantom": float(other.mean()),
                "RMS difference": float(np.sqrt(((one - other) ** 2).mean())),
            }
        )
    return rows


def _draw(real, made, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 8, figsize=(16, 7))
    for column, z in enumerate((18, 24, 30, 36, 42, 48, 54, 60)):
        for row, volume in enumerate((real, made, made - real)):
            look = {"cmap": "gray", "vmin": 0, "vmax": 1.6}
            if row == 2:
                look = {"cmap": "RdBu_r", "vmin": -0.6, "vmax": 0.6}
            axes[row, column].imshow(volume[:, :, z].T[::-1], **look)
            axes[row, column].axis("off")
    for row, name in enumerate(("real", "phantom", "difference")):
        axes[row, 0].set_title(name)
    figure.tight_layout()
    figure.savefig(path, dpi=60)


if __name__ == "__main__":
    main()
