"""The bytes of image files, and the folder in which a batch is collected.

An unfinished batch is kept in `.<name>.unfinished` next to its final folder:
the request, the images so far, and a journal with a checksum of each. An image
counts only once the journal lists it, so neither a killed process nor a power
failure leaves half an image.
"""

import contextlib
import io
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.serving import nifti
from pet_dcgan.utils import png
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_text import one_line, read_object
from pet_dcgan.utils.locks import LOCK, locked

FORMATS = {"png": ".png", "npy": ".npy", "nifti": ".nii.gz", "nii": ".nii"}
# From (row, column, through the slice) to (right, anterior, superior), one
# column per axis, as a prepared slice is displayed with row 0 at the top: the
# patient's left is on the left, and a sagittal slice looks to the left.
_DIRECTIONS = {
    "axial": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
    "coronal": [[0, 1, 0], [0, 0, 1], [-1, 0, 0]],
    "sagittal": [[0, 0, 1], [0, -1, 0], [-1, 0, 0]],
}


def slice_affine(
    plane: str, *, size: int, spacing_mm: float, position_mm: float = 0.0
) -> np.ndarray:
    """Voxel to RAS+ millimetres for a slice stored as `[row, column, 0]`.

    The origin is the middle of the image, the centre of the brain.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width in pixels.
        spacing_mm: Millimetres per pixel.
        position_mm: Where the slice lies along the third axis; 0 where a
            model knows no position.

    Returns:
        float64 `[4, 4]`.
    """
    affine = np.eye(4)
    affine[:3, :3] = np.array(_DIRECTIONS[plane]) * spacing_mm
    middle = np.array([(size - 1) / 2, (size - 1) / 2, 0])
    affine[:3, 3] = -affine[:3, :3] @ middle
    if position_mm:
        affine[:3, 3] += np.array(_DIRECTIONS[plane])[:, 2] * position_mm
    return affine


def nifti_bytes(
    suvr: np.ndarray,
    *,
    plane: str,
    spacing_mm: float,
    description: str,
    position_mm: float = 0.0,
) -> bytes:
    """`[size, size]` SUVR as a float32 `[size, size, 1]` `.nii.gz`.

    Voxel `[row, column, 0]` is the pixel of the PNG at that row and column.
    No time is stored: the same slice gives the same bytes.

    Args:
        suvr: `[size, size]`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        spacing_mm: Side of a pixel in millimetres.
        description: Text of the header's `descrip`, at most 79 characters.
        position_mm: Where it lies, as of `slice_affine`.
    """
    affine = slice_affine(
        plane, size=len(suvr), spacing_mm=spacing_mm, position_mm=position_mm
    )
    voxels = np.asarray(suvr, np.float32)[..., np.newaxis]
    return nifti.nifti_bytes(
        voxels, affine=affine, description=description, qform=nifti.UNKNOWN
    )


def npy_bytes(suvr: np.ndarray) -> bytes:
    """SUVR of any shape as a float32 `.npy`."""
    file = io.BytesIO()
    np.save(file, np.asarray(suvr, np.float32))
    return file.getvalue()


def png_bytes(image_bytes: bytes, notes: Mapping[str, str]) -> bytes:
    """A PNG with notes as its only text, right after its header.

    Args:
        image_bytes: A PNG that `check_png` lets pass.
        notes: Keyword (1 to 79 characters) to text, both Latin-1.
    """
    head, pixels = png.without_text(image_bytes)
    chunks = (png.text_chunk(key, text) for key, text in notes.items())
    return b"".join([head, *chunks, pixels])


def suvr_of_png(image_bytes: bytes, suvr_max: float) -> np.ndarray:
    """The SUVR that a grey 16-bit PNG stores, float32 `[height, width]`.

    Args:
        image_bytes: The whole file.
        suvr_max: SUVR of the largest value.

    Raises:
        ValueError: If it is another file, or a damaged one.
    """
    png.check_png(image_bytes)
    with Image.open(io.BytesIO(image_bytes), formats=["PNG"]) as image:
        stored = np.asarray(image)
    return suvr_from_png(stored, suvr_max)


class ResumableBatch:
    """The complete images of an unfinished batch, and their request.

    Args:
        folder: Where they are collected; made if it does not exist.
        out: The final folder.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder = folder
        self.out = out
        self.images = folder / "images"
        self.journal = folder / "journal.txt"
        self._probe = folder / "first.png"
        self._request = folder / "request.json"
        self.images.mkdir(parents=True, exist_ok=True)

    @property
    def probe(self) -> bytes | None:
        """The first image as it was drawn; None before `begin`, or damaged."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            image = self._probe.read_bytes()
            png.check_png(image)
            return image
        return None

    def begin(self, request: Mapping[str, Any], probe: bytes) -> None:
        """Saves the request and its first image.

        Args:
            request: All that decides the images, as JSON values.
            probe: The first image as a PNG.
        """
        with replacing(self._probe) as temporary:
            temporary.write_bytes(probe)
        with replacing(self._request) as temporary:
            text = json.dumps(request, indent=2, sort_keys=True)
            temporary.write_text(text + "\n", encoding="utf-8")

    def differences(self, request: Mapping[str, Any]) -> list[str]:
        """Returns where the batch's own request differs, as `"seed 3"`."""
        try:
            begun = read_object(self._request)
        except (FileNotFoundError, ValueError):
            return []
        return [
            f"{key} {one_line(begun.get(key), most=80)}"
            for key, value in request.items()
            if begun.get(key) != value
        ]

    def keep(self, names: Mapping[str, int]) -> set[int]:
        """Removes all images but the complete and wanted ones.

        If none is left, the request is removed as well.

        Args:
            names: Path of each wanted image in the folder to its seed.

        Returns:
            The seeds of the images that are left.
        """
        checksums = {}
        if self.probe and self.journal.is_file():
            text = self.journal.read_text("utf-8", errors="replace")
            # a line that was cut off lacks its point
            lines = re.findall(r"^(\S+) (\w{8})\.$", text, re.MULTILINE)
            checksums = dict(lines)
        kept = set()
        # folders within are of BIDS
        files = [p for p in self.images.rglob("*") if not p.is_dir()]
        for path in files:
            found = f"{zlib.crc32(path.read_bytes()):08x}"
            name = path.relative_to(self.images).as_posix()
            if name in names and checksums.get(name) == found:
                kept.add(names[name])
            else:
                path.unlink()
        self._remove_empty_folders()
        if not kept:
            for path in (self.journal, self._probe, self._request):
                path.unlink(missing_ok=True)
        return kept

    def _remove_empty_folders(self) -> None:
        """Removes the folders of participants that are not wanted."""
        # deeper ones first
        for path in sorted(self.images.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    def add(self, files: Mapping[str, bytes]) -> None:
        """Writes files, by their paths, then their lines in the journal."""
        for name, content in files.items():
            path = self.images / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        # a line that was cut off ends here and counts for nothing
        lines = "".join(
            f"\n{name} {zlib.crc32(content):08x}."
            for name, content in files.items()
        )
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self) -> None:
        """Moves the images to their final folder, and removes the rest."""
        os.replace(self.images, self.out)
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_rest(out: Path) -> None:
    """Removes what is left beside a batch that was killed as it ended.

    Its images are in the folder `out` already. What is not the rest of such a
    batch is left alone.

    Args:
        out: The final folder.
    """
    folder, lock = _unfinished(out)
    if not out.exists() or not (folder.exists() or lock.exists()):
        return
    # another process is about to remove it, or may not
    with contextlib.suppress(OSError), locked(lock, "generate", place=out):
        if not (folder / "images").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _unfinished(out: Path) -> tuple[Path, Path]:
    """The folder of an unfinished batch, and its lock file."""
    folder = out.with_name(f".{out.name}.unfinished")
    return folder, folder.with_suffix(LOCK)


@contextlib.contextmanager
def resumable_batch(out: Path) -> Iterator[ResumableBatch]:
    """Locks and opens the batch for the folder `out`.

    Args:
        out: The final folder. A batch without images leaves nothing.

    Raises:
        BlockingIOError: If another process is making it.
    """
    folder, lock = _unfinished(out)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock, "generate", place=out):
        batch = ResumableBatch(folder, out)
        try:
            yield batch
        finally:
            if not batch.journal.is_file():
                shutil.rmtree(folder, ignore_errors=True)
