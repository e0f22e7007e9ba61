"""Voxels as the bytes of a NIfTI file, the same whenever it is written."""

import functools
import zlib

import nibabel as nib
import numpy as np

_GZIP = 31  # of zlib, for its largest window; no time, no file name
# what NIfTI calls the space of an affine (nifti1.h, NIFTI_XFORM_...)
UNKNOWN, ALIGNED, MNI = 0, 2, 4


def nifti_bytes(
    voxels: np.ndarray,
    *,
    affine: np.ndarray,
    description: str,
    sform: int = ALIGNED,
    qform: int = ALIGNED,
) -> bytes:
    """Voxels as a float32 `.nii.gz`, without a time and a file name.

    Args:
        voxels: `[x, y, z]`, in the affine's order of axes.
        affine: float64 `[4, 4]`, voxels to RAS+ millimetres, without shears.
        description: Text of the header's `descrip`, at most 79 characters.
        sform: What the affine leads to, as its sform: `ALIGNED` where no
            scanner has such coordinates, or `MNI`.
        qform: The same as its qform, or `UNKNOWN`.
    """
    data = np.asarray(voxels, np.float32)
    rows = tuple(map(tuple, np.asarray(affine, float).tolist()))
    head = _head(data.shape, rows, description, sform, qform)
    # run lengths alone: half the time of a search for repetitions, 2 % larger
    packer = zlib.compressobj(6, wbits=_GZIP, strategy=zlib.Z_RLE)
    # voxels are stored with the first index running fastest
    return packer.compress(head + data.tobytes(order="F")) + packer.flush()


def unpacked(content: bytes) -> bytes:
    """A `.nii.gz` as the `.nii` that programs open which do not unpack.

    Args:
        content: From `nifti_bytes`.
    """
    return zlib.decompress(content, wbits=_GZIP)


@functools.lru_cache(maxsize=64)
def _head(
    shape: tuple[int, ...],
    affine: tuple[tuple[float, ...], ...],
    description: str,
    sform: int,
    qform: int,
) -> bytes:
    """Returns the bytes before the voxels, the same for a whole model."""
    data = np.zeros(shape, np.float32)
    image = nib.Nifti1Image(data, np.array(affine))
    image.set_sform(affine, code=sform)
    image.set_qform(affine, code=qform)
    image.header["descrip"] = description
    image.header.set_xyzt_units("mm")
    return image.to_bytes()[: -data.nbytes]
