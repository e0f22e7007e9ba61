"""Tiny image files, sound and broken, for random trees.

Sound ones have 12 x 14 x 10 voxels of 15 mm: a head's size, few bytes.
"""

import functools
import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (12, 14, 10)


def _affine() -> np.ndarray:
    affine = np.diag([-15.0, 15.0, 15.0, 1.0])
    affine[:3, 3] = [80, -95, -70]
    return affine


def _voxels(frames: int) -> np.ndarray:
    shape = (*SHAPE, frames) if frames else SHAPE
    return (np.arange(np.prod(shape)).reshape(shape) % 100).astype("u1")


@functools.cache
def nifti(dtype: str = "u1", frames: int = 0, qform_only: bool = False):
    """A NIfTI file; `frames` 0 for three dimensions, 1 for a singleton."""
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(_voxels(frames), _affine(), header=header)
    if qform_only:
        image.set_qform(_affine(), code=1)
        image.set_sform(None, code=0)
    return image.to_bytes()


@functools.cache
def pair(kind: type, frames: int = 0) -> tuple[bytes, bytes]:
    """The header and the image of an Analyze 7.5 or a NIfTI pair."""
    files = kind.make_file_map()
    for holder in files.values():
        holder.fileobj = io.BytesIO()
    kind(_voxels(frames).astype("i2"), _affine()).to_file_map(files)
    return tuple(files[part].fileobj.getvalue() for part in ("header", "image"))


@functools.cache
def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@functools.cache
def huge() -> bytes:
    """A header that promises 27 TB, without a voxel behind it."""
    header = nib.Nifti1Header()
    header.set_data_shape((30000, 30000, 30000))
    header.set_zooms((0.01, 0.01, 0.01))
    header.set_sform(_affine(), code=1)
    header["vox_offset"] = 352
    return header.binaryblock + bytes(4)


@functools.cache
def flat() -> bytes:
    """One slice."""
    return nib.Nifti1Image(_voxels(0)[:, :, 0], _affine()).to_bytes()


def _pair_files(kind: type, frames: int = 0) -> dict[str, bytes]:
    return dict(zip((".hdr", ".img"), pair(kind, frames), strict=True))


# Each form: suffix and bytes of its files; the first file is its account row.
SOUND = {
    "nii": lambda: {".nii": nifti()},
    "gz": lambda: {".nii.gz": zipped(nifti())},
    "upper": lambda: {".NII": nifti()},
    "float": lambda: {".nii": nifti("<f4")},
    "big_endian": lambda: {".nii": nifti(">i2")},
    "big_float": lambda: {".nii.gz": zipped(nifti(">f4"))},
    "singleton": lambda: {".nii": nifti("<i2", 1)},
    "series": lambda: {".nii.gz": zipped(nifti("u1", 4))},
    "qform": lambda: {".nii": nifti("<i2", 0, True)},
    "analyze": lambda: _pair_files(nib.Spm99AnalyzeImage),
    "analyze_4d": lambda: _pair_files(nib.Spm99AnalyzeImage, 1),
    "nifti_pair": lambda: _pair_files(nib.Nifti1Pair),
}
_HTML = b"<!DOCTYPE html>\n<html><body>404</body></html>\n"
FAULTY = {
    "html": lambda: {".nii.gz": _HTML},
    "html_plain": lambda: {".nii": _HTML},
    "one_byte": lambda: {".nii.gz": b"\n"},
    "truncated": lambda: {".nii": nifti()[:120]},
    "truncated_gzip": lambda: {".nii.gz": zipped(nifti())[:60]},
    "empty": lambda: {".nii": b""},
    "empty_gzip": lambda: {".nii.gz": b""},
    "gzip_of_nothing": lambda: {".nii.gz": zipped(b"")},
    "bad_gzip": lambda: {".nii.gz": b"\x1f\x8b\x08\x00" + bytes(40)},
    "zeros": lambda: {".nii": bytes(2000)},
    "flat": lambda: {".nii": flat()},
    "huge": lambda: {".nii.gz": zipped(huge())},
    "orphan_img": lambda: {".img": pair(nib.Spm99AnalyzeImage)[1]},
    "orphan_hdr": lambda: {".hdr": pair(nib.Spm99AnalyzeImage)[0]},
    "empty_pair": lambda: {".hdr": b"", ".img": b""},
    "broken_link": lambda: {".nii": Path("nowhere.nii")},
    "self_link": lambda: {".nii.gz": None},
}


def write(stem: Path, form: str) -> Path:
    """Writes a scan's file or pair; gives the path the account must name."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, content in (SOUND | FAULTY)[form]().items():
        path = stem.with_name(stem.name + suffix)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.symlink_to(content or path.name)
        paths.append(path)
    return paths[0]
