"""Image files: NIfTI, packed or not, pairs, Analyze and MGH."""

import gzip
import io
import struct
from pathlib import Path
from random import Random

import nibabel as nib
import numpy as np

from fuzzing.damage import damaged, zeros_deflated, zeros_packed
from fuzzing.oracle import faults_of_line, require
from fuzzing.plan import Files
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import scale_to_suvr
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.slices import cut_slices, resample
from tfds_adni.volumes.volume import examine, load_volume

_SHAPE = (12, 14, 10)
_AFFINE = nib.affines.from_matvec(np.diag([-15, 15, 15]), [80, -95, -70])
_ODD = {
    "i": (0, 1, -1, 2, 3, 7, 8, 127, 255, 999, 32767, -32768, 2**31 - 1),
    "u": (0, 1, 2, 3, 10, 127, 255, 999, 32767, 65535, 2**32 - 1),
    "f": (0, -0.0, 1, -1, 1e-45, 1e38, -1e38, 352, 354, 1e9, 2**31, np.nan),
}
_PLACES = (
    *("intent_code", "vox_offset", "scl_slope", "scl_inter", "datatype", "dim"),
    *("pixdim", "srow_x", "dims", "type", "delta", "Mdc"),
)


def prepare(base: Path) -> None:
    voxels = _head()
    series = np.stack([voxels] * 3, axis=-1)
    for name, kind, data in (
        ("a.nii", nib.Nifti1Image, voxels),
        ("series.nii", nib.Nifti1Image, series),
        ("two.nii", nib.Nifti2Image, voxels),
        ("a.hdr", nib.Nifti1Pair, voxels),
        ("analyze.hdr", nib.Spm99AnalyzeImage, voxels),
        ("m.mgh", nib.MGHImage, voxels),
    ):
        nib.save(kind(data, _AFFINE), base / name)


def _head() -> np.ndarray:
    x, y, z = (np.mgrid[tuple(slice(n) for n in _SHAPE)].T - 6).T
    radius = np.sqrt((x / 4.5) ** 2 + (y / 5.5) ** 2 + ((z + 1) / 4) ** 2)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 20, _SHAPE)
    return (np.where(radius < 1, 1000, 20) + noise).astype(np.int16)


def mutate(base: Path, dice: Random) -> Files:
    files = {path.name: path.read_bytes() for path in sorted(base.iterdir())}
    name = dice.choice([n for n in files if not n.endswith((".img", ".mat"))])
    content = files[name]
    others = [files[n] for n in sorted(files)]
    change = dice.choice((_fields, _fields, _extensions, _packed_bomb, damaged))
    if change is damaged:
        content = damaged(content, dice, *others)
    else:
        content = change(name, content, dice)
    if change is not _packed_bomb and dice.random() < 0.5:
        content = _packed(content, dice)
    if name.endswith(".hdr") and dice.random() < 0.3:
        partner = name.replace(".hdr", dice.choice((".img", ".mat")))
        other = damaged(files.get(partner, bytes(400)), dice, *others)
        return {"case/" + name: content, "case/" + partner: other}
    case = {"case/" + name: content}
    if name.endswith(".hdr"):
        case["case/" + name[:-4] + ".img"] = files[name[:-4] + ".img"]
    return case if dice.random() < 0.9 else _renamed(case, dice)


def _renamed(case: Files, dice: Random) -> Files:
    """Under the name of another format."""
    ends = (
        ".nii",
        ".nii.gz",
        ".hdr",
        ".hdr.gz",
        ".img",
        ".mgz",
        ".mgh",
        ".NII",
    )
    ends = (*ends, ".nii.bz2", ".img.gz", ".nii.zst")
    return {f"case/x{dice.choice(ends)}": next(iter(case.values()))}


def _fields(name: str, content: bytes, dice: Random) -> bytes:
    """Odd values in fields of the header, by name."""
    kind = {
        "two.nii": nib.Nifti2Header,
        "analyze.hdr": nib.Spm99AnalyzeImage.header_class,
        "m.mgh": nib.freesurfer.mghformat.MGHHeader,
    }.get(name, nib.Nifti1Header)
    size = kind.template_dtype.itemsize
    header = np.frombuffer(content[:size], kind.template_dtype)
    if name == "m.mgh":
        header = header.astype(kind.template_dtype)
    header = header.copy()
    names = list(header.dtype.names)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        likely = [n for n in _PLACES if n in names]
        field = dice.choice(dice.choice((names, likely)))
        _set(header[field], dice)
    return header.tobytes() + content[size:]


def _set(values: np.ndarray, dice: Random) -> None:
    """An odd value in one place of a field, `[1]` or `[1, n]`."""
    flat = values.reshape(-1)
    at = dice.randrange(len(flat))
    kind = flat.dtype.kind
    if kind == "S":
        values[...] = dice.randbytes(max(1, flat.dtype.itemsize))
        return
    odd = dice.choice(_ODD.get(kind, (0,)))
    with np.errstate(all="ignore"):
        flat[at] = np.array(odd).astype(flat.dtype)


def _extensions(name: str, content: bytes, dice: Random) -> bytes:
    """Extensions whose sizes and codes are odd, in chains of any length."""
    count = dice.choice((1, 1, 2, 50, 3000, 200_000))
    sizes = (-16, 0, 1, 8, 16, 32, 2**16, 2**30, 2**31 - 1, -(2**31))
    size = dice.choice(sizes)
    one = struct.pack("<ii", size, dice.choice((0, 2, 4, 6, 44, -1, 2**31 - 1)))
    one += bytes(min(max(size - 8, 0), dice.choice((0, 8, 24))))
    start = 540 if name == "two.nii" else 348
    header = bytearray(content[:start])
    extended = b"\x01\0\0\0" + one * count
    offset = dice.choice((start + len(extended), 352, 2**24, 2**30))
    if start == 348:
        header[108:112] = struct.pack("<f", offset)
    else:
        header[168:176] = struct.pack("<q", offset)
    return bytes(header) + extended + content[start + 4 :]


def _packed(content: bytes, dice: Random) -> bytes:
    """Gzip around bytes, sometimes damaged itself, or twice."""
    packed = gzip.compress(content, dice.choice((1, 9)), mtime=0)
    kind = dice.random()
    if kind < 0.2:
        return damaged(packed, dice)
    if kind < 0.3:
        return gzip.compress(packed, mtime=0)
    return packed


def _packed_bomb(name: str, content: bytes, dice: Random) -> bytes:
    """A little that unpacks to gigabytes, before or behind the voxels."""
    megabytes = dice.choice((64, 2048, 8192))
    head = content[
        : dice.choice((0, 348, 352, len(content) // 2, len(content)))
    ]
    if dice.random() < 0.3:  # one long extension
        size = min(megabytes * 2**20, 2**31 - 16) // 16 * 16
        head = content[:348] + b"\x01\0\0\0" + struct.pack("<ii", size, 6)
    if dice.random() < 0.5:
        return gzip.compress(head, mtime=0) + zeros_packed(megabytes)
    start = io.BytesIO()
    start.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    stored = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head
    return start.getvalue() + stored + zeros_deflated(megabytes) + bytes(10)


def run(folder: Path, attempt) -> None:
    case = folder / "case" if (folder / "case").is_dir() else folder
    reading = Reading()
    images = [p for p in sorted(case.iterdir()) if p.suffix != ".mat"]
    if any(path.suffix == ".hdr" for path in images):
        images = [path for path in images if path.suffix != ".img"]
    for path in images:
        found = attempt(examine, [path], reading=reading)
        if found is None:
            continue
        if found.reason:
            attempt.faults += faults_of_line(found.reason)
        volume = attempt(load_volume, [path], reading=reading, remedy=False)
        if volume is None:
            continue
        attempt(_check, found, volume, remedy=False)
        attempt(_slices, volume, remedy=False)


def _check(found, volume) -> None:
    require(not found.reason, f"read in spite of: {found.reason}")
    data, spacing = volume.data, np.array(volume.spacing)
    require(data.dtype == np.float32 and data.ndim == 3, f"{data.dtype}")
    require(min(data.shape) >= 8, f"of shape {data.shape}")
    require(bool((np.isfinite(spacing) & (spacing > 0)).all()), f"{spacing}")
    require(volume.frames >= 1, f"of {volume.frames} frames")
    if volume.affine is not None:
        require(bool(np.isfinite(volume.affine).all()), "affine not finite")


def _slices(volume) -> None:
    scaled = scale_to_suvr(
        volume, find_brain(volume), method="brain", mask=None
    )
    pieces = list(
        cut_slices(resample(scaled, 6.0), "axial", size=32, band_mm=(-12, 12))
    )
    for piece in pieces:
        require(piece.image.shape == (32, 32), f"slice {piece.image.shape}")
        require(bool(np.isfinite(piece.image).all()), "a slice is not finite")
