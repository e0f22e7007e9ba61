"""MNI maps of tissue on the box that holds a head, and what lies between."""

import numpy as np
from scipy import ndimage

LOW = np.array([-96.0, -126.0, -84.0])  # mm, MNI: the box that holds a head
HIGH = np.array([96.0, 99.0, 105.0])
_CLOSED_MM = 6.0  # sulci narrower than twice this are part of the brain
_DOUBT = 6.0  # power that takes the doubt of an average out of the maps


def load_maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads the MNI maps of nilearn's wheel.

    Returns:
        Grey and white matter, float32 in [0, 1] at 1 mm, and the affine.

    Raises:
        ImportError: If nilearn is not installed.
    """
    try:
        from nilearn import datasets
    except ImportError as error:
        raise ImportError(
            "expected nilearn, which brings the phantom's MNI maps, found "
            'none: run pip install "pet-dcgan[demo]"'
        ) from error
    grey = datasets.load_mni152_gm_template(resolution=1)
    white = datasets.load_mni152_wm_template(resolution=1)
    maps = [np.asarray(m.dataobj, np.float32) for m in (grey, white)]
    return maps[0], maps[1], grey.affine


def box_axes(spacing: float) -> list[np.ndarray]:
    """Positions of the box's voxels in mm, `[n]` along each of x, y and z.

    Args:
        spacing: Size of a voxel in mm.
    """
    ends = zip(LOW, HIGH, strict=True)
    return [np.arange(low, high, spacing) for low, high in ends]


def tissue_maps(spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Samples the MNI maps on the box.

    Args:
        spacing: Size of a voxel in mm.

    Returns:
        Grey and white matter, float32 `(x, y, z)` in [0, 1].

    Raises:
        ImportError: If nilearn is not installed.
    """
    *maps, affine = load_maps()
    axes = box_axes(spacing)
    places = [a - affine[i, 3] for i, a in enumerate(axes)]
    grid = np.meshgrid(*places, indexing="ij")
    # the maps' grey matter above the nose is none
    nose = (axes[1] > 35)[:, None] & (axes[2] < -22)[None]
    found = []
    for each in maps:
        smooth = ndimage.gaussian_filter(each, 0.4 * spacing)  # no aliases
        sampled = ndimage.map_coordinates(
            smooth, grid, order=1, output=np.float32
        )
        found.append(np.where(nose[None], 0, np.clip(sampled, 0, 1)))
    return found[0], found[1]


def brain_of(tissue: np.ndarray, spacing: float) -> np.ndarray:
    """The brain with its ventricles and sulci, without holes.

    Args:
        tissue: Grey and white matter, `(x, y, z)`.
        spacing: Size of a voxel in mm.
    """
    steps = max(1, round(_CLOSED_MM / spacing))
    padded = np.pad(tissue > 0.5, steps)
    closed = ndimage.binary_closing(padded, iterations=steps)
    return ndimage.binary_fill_holes(closed[(slice(steps, -steps),) * 3])


def ventricle_of(fluid: np.ndarray, axes: list[np.ndarray]) -> np.ndarray:
    """The fluid in the middle: lateral and third ventricles.

    Args:
        fluid: Where there is fluid in the brain, boolean `(x, y, z)`.
        axes: Positions of the voxels in mm.
    """
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    centre, radii = (0, -12, 14), (36, 48, 24)
    parts = zip(grid, centre, radii, strict=True)
    inside = sum(((g - c) / r) ** 2 for g, c, r in parts) < 1
    cistern = (np.abs(grid[0]) < 12) & (grid[1] < -28)
    return fluid & inside & ~cistern


def signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """The distance to a mask's edge in mm, negative inside it, float32.

    Args:
        mask: Boolean `(x, y, z)`.
        spacing: Size of a voxel in mm.
    """
    if not mask.any():
        return np.full(mask.shape, 99, np.float32)
    out = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    return (spacing * (out - inside + (inside > 0) - 0.5)).astype(np.float32)


def within(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs inside a mask, without what lies outside it.

    Args:
        values: A volume, `(x, y, z)`.
        mask: Where it counts; elsewhere the result is zero.
        sigma: SD of the Gaussian in voxels.
    """
    share = ndimage.gaussian_filter(mask.astype(np.float32), sigma)
    blurred = ndimage.gaussian_filter(np.where(mask, values, 0), sigma)
    return np.where(mask, blurred / np.maximum(share, 1e-3), 0)


def sharpened(grey: np.ndarray, white: np.ndarray) -> list[np.ndarray]:
    """Grey and white matter of one brain, from the doubt of many.

    Args:
        grey: Probability of grey matter, `(x, y, z)`.
        white: Probability of white matter, of the same shape.
    """
    fluid = np.clip(1 - grey - white, 0, 1)
    powers = [each**_DOUBT for each in (grey, white, fluid)]
    total = sum(powers) + 1e-9
    return [each / total for each in powers[:2]]
