"""A template of FDG uptake, to register scans to, made of maps of tissue.

No PET template may be passed on with this package. The maps of grey and white
matter that the phantom is made of, ICBM 152 nonlinear 2009a symmetric (Fonov
2009, doi 10.1016/S1053-8119(09)70884-5; nilearn's wheel has them), give one:
white matter takes up less than a third of what the grey matter of many
people's average takes up, and both are smoothed to the 8 mm of ADNI's scans.
It is symmetric, and nobody's disease is in it.
"""

import dataclasses
import functools

import numpy as np
from scipy import ndimage

SPACE = "MNI152NLin2009aSym"
SPACING_MM = 4.0
# uptake of white matter over grey, the sharpness of scans, and their edge
_WHITE, _FWHM_MM, _AROUND_MM = 0.3, 8.0, 8.0
_SD = np.sqrt(8 * np.log(2))
# MNI mm: the box that holds the brain
_LOW, _SHAPE = (-92.0, -128.0, -80.0), (47, 57, 49)


@dataclasses.dataclass(frozen=True)
class PetTemplate:
    """Uptake in a brain of the template's space.

    Attributes:
        image: float32 `(x, y, z)` in RAS, grey matter about 1.
        brain: Boolean, of the same shape.
        around: Boolean, the brain and the 8 mm around it.
        affine: `(4, 4)`, voxel to mm.
    """

    image: np.ndarray
    brain: np.ndarray
    around: np.ndarray
    affine: np.ndarray


@functools.cache
def pet_template() -> PetTemplate:
    """Makes the template; a process makes it once, in seconds.

    Raises:
        ImportError: If nilearn is not installed.
    """
    from tfds_adni.phantom.maps import brain_of, load_maps

    grey, white, maps_affine = load_maps()
    uptake = ndimage.gaussian_filter(grey + _WHITE * white, _FWHM_MM / _SD)
    affine = np.diag([*[SPACING_MM] * 3, 1.0])
    affine[:3, 3] = _LOW
    matrix = np.linalg.inv(maps_affine) @ affine

    def sampled(values: np.ndarray) -> np.ndarray:
        return ndimage.affine_transform(
            values,
            np.diag(matrix)[:3],
            offset=matrix[:3, 3],
            output_shape=_SHAPE,
            order=1,
        )

    image = sampled(uptake.astype(np.float32))
    brain = brain_of(sampled(grey + white), SPACING_MM)
    around = ndimage.binary_dilation(
        brain, iterations=round(_AROUND_MM / SPACING_MM)
    )
    return PetTemplate(image, brain, around, affine)
