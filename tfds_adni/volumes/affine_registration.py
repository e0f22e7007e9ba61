"""Affine registration of a scan to a template of uptake, by SimpleITK.

SimpleITK is an extra: `pip install "pet-dcgan[register]"`. A similarity is
found first and then all twelve numbers, each by gradient descent on the
correlation of the two images in the brain and the 8 mm around it (Insight
Toolkit's registration framework, Avants 2014, doi 10.3389/fninf.2014.00044).
All voxels count and one thread works, so that nothing is left to chance: the
same scan gives the same numbers in any process.
"""

import dataclasses
import functools
import importlib.util
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.pet_template import (
    SPACE,
    SPACING_MM,
    PetTemplate,
    pet_template,
)
from tfds_adni.volumes.slices import resample
from tfds_adni.volumes.volume import VolumeError

if TYPE_CHECKING:
    import SimpleITK

METHODS = ("none", "affine")
# mm, the centre of the template's tissue as `find_brain` sees one
_CENTRE_MM = np.array((0.0, -22.6, 7.9))
# Heads are smaller than those that the template was brought to.
_FIRST_SCALE = 0.93
# Steps of the descent: the first one in mm, the last one, how many at most,
# and by how much they shrink where the direction turns.
_STEPS = 1.0, 1e-3, 200, 0.6
# Shrink factor and smoothing in mm of each level of the two transforms.
_SIMILARITY, _AFFINE = ((2, 4.0),), ((2, 2.0), (1, 0.0))
# What a head may be of the template: its size along any axis, and how much
# more along one than along another; turned and sheared by so many degrees.
_SIZES, _MOST_UNEQUAL = (0.7, 1.3), 1.35
_MOST_TURNED, _MOST_SHEARED = 45.0, 12.0
# Share of the template's brain that the scan has to hold, and correlation.
# Of phantoms the correlation is 0.54 to 0.68, and upside down, back to front
# or on their side 0.13 to 0.28 (benchmarks/registration.py).
_LEAST_INSIDE, _LEAST_LIKE = 0.9, 0.4


@dataclasses.dataclass(frozen=True)
class Registered:
    """Where a scan lies in the template's space.

    Attributes:
        affine: float64 `(4, 4)`, voxels of the scan to mm of the template.
        similarity: Correlation with the template inside its brain.
    """

    affine: np.ndarray
    similarity: float


def require_method(method: str) -> None:
    """Refuses a way to register that is unknown, or not installed.

    Args:
        method: One of `METHODS`.

    Raises:
        ImportError: If SimpleITK or nilearn is not installed, and needed.
        ValueError: If the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(
            f"expected a registration of {', '.join(METHODS)}, found "
            f"{method!r}; choose one with --register"
        )
    if method == "none":
        return
    for name in ("SimpleITK", "nilearn"):
        if not importlib.util.find_spec(name):
            raise ImportError(
                "expected SimpleITK and nilearn for --register, found no "
                f'{name}; install it with: pip install "pet-dcgan[register]"'
            )


def registration_facts() -> dict[str, str]:
    """Returns a data set's metadata on how its scans were registered."""
    return {
        "method": "affine",
        "template": f"{SPACE}: grey matter 1, white matter 0.3, 8 mm",
        "program": f"SimpleITK {metadata.version('SimpleITK')}",
    }


def register(brain: Brain) -> Registered:
    """Registers a scan to the template.

    Left stays left: nothing is mirrored. The template is symmetric, so that a
    scan whose header exchanges left and right is not noticed.

    Args:
        brain: The scan on its own grid, on any scale.

    Raises:
        ImportError: If SimpleITK or nilearn is not installed.
        VolumeError: If the result is no head's, or unlike the template.
    """
    template = pet_template()
    moving = resample(brain, SPACING_MM)
    matrix = _search(moving, np.array(moving.centre) * SPACING_MM)
    _require_head(matrix[:3, :3])
    similarity = _similarity(moving, matrix, template)
    spacing = np.diag([*brain.spacing, 1.0])
    return Registered(np.linalg.inv(matrix) @ spacing, similarity)


def _search(moving: Brain, centre_mm: np.ndarray) -> np.ndarray:
    """Finds where each place of the template lies in the scan.

    Returns:
        float64 `(4, 4)`, mm of the template to mm from the scan's first voxel.
    """
    import SimpleITK

    # one for each process of the pool; more would also round otherwise
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    image = _itk_image(moving.suvr, (0.0, 0.0, 0.0))
    first = SimpleITK.Similarity3DTransform()
    first.SetCenter(_CENTRE_MM.tolist())
    first.SetTranslation((centre_mm - _CENTRE_MM).tolist())
    first.SetScale(_FIRST_SCALE)
    _descend(first, image, _SIMILARITY)
    second = SimpleITK.AffineTransform(3)
    second.SetCenter(first.GetCenter())
    second.SetMatrix(first.GetMatrix())
    second.SetTranslation(first.GetTranslation())
    _descend(second, image, _AFFINE)
    linear = np.reshape(second.GetMatrix(), (3, 3))
    middle = np.array(second.GetCenter())
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = second.GetTranslation() + middle - linear @ middle
    return matrix


def _descend(
    transform: "SimpleITK.Transform",
    image: "SimpleITK.Image",
    levels: tuple[tuple[int, float], ...],
) -> None:
    """Improves a transform in place."""
    import SimpleITK

    fixed, around = _fixed()
    search = SimpleITK.ImageRegistrationMethod()
    search.SetMetricAsCorrelation()
    search.SetMetricFixedMask(around)
    search.SetMetricSamplingStrategy(search.NONE)
    search.SetInterpolator(SimpleITK.sitkLinear)
    search.SetOptimizerAsRegularStepGradientDescent(*_STEPS)
    search.SetOptimizerScalesFromPhysicalShift()
    shrink, smooth = zip(*levels, strict=True)
    search.SetShrinkFactorsPerLevel(shrink)
    search.SetSmoothingSigmasPerLevel(smooth)
    search.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    search.SetInitialTransform(transform, True)
    try:
        search.Execute(fixed, image)
    except RuntimeError:  # its text is of lines of C++
        raise VolumeError(
            "not registered: it hardly overlaps with the template; look at it "
            "in scans.html"
        ) from None


@functools.cache
def _fixed() -> tuple["SimpleITK.Image", "SimpleITK.Image"]:
    """The template and its mask."""
    template = pet_template()
    low = template.affine[:3, 3]
    around = template.around.astype(np.uint8)
    return _itk_image(template.image, low), _itk_image(around, low)


def _itk_image(data: np.ndarray, low: np.ndarray) -> "SimpleITK.Image":
    """An image of cubic voxels; its coordinates are RAS, and not ITK's LPS."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing([SPACING_MM] * 3)
    image.SetOrigin([float(place) for place in low])
    return image


def _require_head(linear: np.ndarray) -> None:
    """Refuses what no head is of the template."""
    left, sizes, right = np.linalg.svd(linear)
    turn = left @ right
    turned = np.rad2deg(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    axes = linear / np.linalg.norm(linear, axis=0)
    cosine = np.abs(axes.T @ axes - np.eye(3)).max()
    sheared = np.rad2deg(np.arcsin(min(cosine, 1.0)))
    words = " x ".join(f"{size:.2f}" for size in sizes)
    faults = {
        "mirrored": np.linalg.det(linear) <= 0,
        f"turned by {turned:.0f} degrees": turned > _MOST_TURNED,
        f"sheared by {sheared:.0f} degrees": sheared > _MOST_SHEARED,
        f"{words} of the template's size": min(sizes) < _SIZES[0]
        or max(sizes) > _SIZES[1]
        or max(sizes) > _MOST_UNEQUAL * min(sizes),
    }
    for fault, holds in faults.items():
        if holds:
            raise VolumeError(
                f"not registered: {fault}; look at it in scans.html"
            )


def _similarity(
    moving: Brain, matrix: np.ndarray, template: PetTemplate
) -> float:
    """Correlates the registered scan with the template, in its brain.

    Raises:
        VolumeError: If the scan holds too little of the brain, or is unlike.
    """
    places = np.argwhere(template.brain)
    at = template.affine[:3, :3] @ places.T + template.affine[:3, 3:]
    voxels = (matrix[:3, :3] @ at + matrix[:3, 3:]) / SPACING_MM
    ends = np.array(moving.suvr.shape)[:, None] - 1
    inside = np.all((voxels >= 0) & (voxels <= ends), axis=0)
    if (share := inside.mean()) < _LEAST_INSIDE:
        raise VolumeError(
            f"not registered: the scan holds {100 * share:.0f} % of the "
            "template's brain; look at it in scans.html"
        )
    values = ndimage.map_coordinates(moving.suvr, voxels[:, inside], order=1)
    known = template.image[template.brain][inside]
    found = 0.0
    if values.std() > 0:
        found = float(np.corrcoef(values, known)[0, 1])
    if not found >= _LEAST_LIKE:
        raise VolumeError(
            f"not registered: its correlation with the template is {found:.2f}"
            f", expected at least {_LEAST_LIKE}; look at it in scans.html"
        )
    return found
