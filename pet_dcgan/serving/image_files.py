"""Which synthetic images are made, and what the file of each holds."""

import functools
import io
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import nibabel as nib
import numpy as np
from PIL import Image

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.serving.model_info import ModelInfo
from pet_dcgan.utils.seed_blocks import block_seeds, seed_blocks

_SUFFIXES = {"png": ".png", "npy": ".npy", "nifti": ".nii.gz"}
FORMATS = tuple(_SUFFIXES)
COLUMNS = (
    "file",
    "stage",
    "seed",
    "model_version",
    "suvr_max",
    "spacing_mm",
    "plane",
    "phantom",
)
# From (row, column, through the slice) to (right, anterior, superior), one
# column per axis, as a prepared slice is displayed with row 0 at the top: the
# patient's left is on the left, and a sagittal slice looks to the left.
_DIRECTIONS = {
    "axial": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
    "coronal": [[0, 1, 0], [0, 0, 1], [-1, 0, 0]],
    "sagittal": [[0, 0, 1], [0, -1, 0], [-1, 0, 0]],
}
_GZIP = 31  # of zlib, for its largest window; no time, no file name
_SIGNATURE_AND_HEADER = 8 + 25  # bytes before the second chunk of any PNG


class Model(Protocol):
    """What draws images: `ExportedModel` or `RemoteModel`."""

    facts: ModelInfo
    version: str
    awaited: bool
    at_once: int

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """Returns the 16-bit PNG of each seed."""

    def close(self) -> None:
        """Ends all waiting."""


class ImageRequest:
    """A model, consecutive seeds and a file format.

    Args:
        model: What draws.
        seeds: One per image.
        format: One of `FORMATS`.
    """

    def __init__(
        self,
        model: Model,
        seeds: range,
        format: str,  # noqa: A002
    ) -> None:
        self.model = model
        self.facts = model.facts
        self.seeds = seeds
        self.format = format
        phantom = " phantom" if self.facts.phantom else ""
        self._description = f"synthetic{phantom} PET slice, not for diagnosis"

    def identity(self) -> dict[str, str | int]:
        """Returns what must not change between two parts of a batch."""
        return {
            "model": self.facts.name,
            "version": self.model.version,
            "format": self.format,
            "seed": self.seeds.start,
            "rows": self.facts.max_rows,
        }

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """Returns PNGs of seeds of one block, each computed in its place.

        The whole block is drawn, since the last bits of a float, and so a
        PNG, depend on how many images are computed at once.

        Args:
            seeds: From one block of `blocks`.
        """
        rows = self.facts.max_rows
        first = seeds[0] - seeds[0] % rows
        drawn = self.model.draw(block_seeds(first, rows))
        return [drawn[seed - first] for seed in seeds]

    def blocks(self, seeds: Sequence[int]) -> list[list[int]]:
        """Returns seeds by the block that they are drawn with."""
        return list(seed_blocks(seeds, self.facts.max_rows).values())

    def file_name(self, seed: int) -> str:
        """Returns the name of a seed's file, as `synthetic_ad_0000012.png`."""
        kind = "phantom" if self.facts.phantom else "synthetic"
        return f"{kind}_{self.facts.name}_{seed:07d}{_SUFFIXES[self.format]}"

    def file_content(self, seed: int, image: bytes) -> bytes:
        """Returns the content of a seed's file.

        Args:
            seed: Of the image.
            image: Its PNG.
        """
        facts = self.facts
        if self.format == "png":
            notes = {
                "Description": self._description,
                "synthetic": "true",
                "phantom": str(facts.phantom).lower(),
                "stage": facts.stage,
                "plane": facts.plane,
                "seed": str(seed),
                "suvr_max": str(facts.suvr_max),
                "spacing_mm": str(facts.spacing_mm),
            }
            return png_bytes(image, notes)
        suvr = suvr_of_png(image, facts.suvr_max)
        if self.format == "npy":
            return npy_bytes(suvr)
        return nifti_bytes(
            suvr,
            plane=facts.plane,
            spacing_mm=facts.spacing_mm,
            description=self._description,
        )

    def rows(self) -> Iterator[tuple]:
        """Yields the table's row of each image, in the order of `COLUMNS`."""
        facts = self.facts
        for seed in self.seeds:
            yield (
                self.file_name(seed),
                facts.stage,
                seed,
                self.model.version,
                facts.suvr_max,
                facts.spacing_mm,
                facts.plane,
                str(facts.phantom).lower(),
            )


def slice_affine(plane: str, *, size: int, spacing_mm: float) -> np.ndarray:
    """Voxel to RAS+ millimetres for a slice stored as `[row, column, 0]`.

    The origin is the middle of the image; a synthetic slice has no position
    along the third axis, so that stays 0.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width in pixels.
        spacing_mm: Millimetres per pixel.

    Returns:
        float64 `[4, 4]`.
    """
    affine = np.eye(4)
    affine[:3, :3] = np.array(_DIRECTIONS[plane]) * spacing_mm
    middle = np.array([(size - 1) / 2, (size - 1) / 2, 0])
    affine[:3, 3] = -affine[:3, :3] @ middle
    return affine


def nifti_bytes(
    suvr: np.ndarray, *, plane: str, spacing_mm: float, description: str
) -> bytes:
    """`[size, size]` SUVR as a float32 `[size, size, 1]` `.nii.gz`.

    Voxel `[row, column, 0]` is the pixel of the PNG at that row and column;
    the affine says where they lie in the patient. No time is stored: the
    same slice gives the same bytes.

    Args:
        suvr: float32 `[size, size]`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        spacing_mm: Side of a pixel in millimetres.
        description: Text of the header's `descrip`, at most 79 characters.
    """
    data = np.asarray(suvr, np.float32)
    head = _nifti_head(len(data), plane, spacing_mm, description)
    # run lengths alone: half the time of a search for repetitions, 2 % larger
    packer = zlib.compressobj(6, wbits=_GZIP, strategy=zlib.Z_RLE)
    # voxels are stored with the first index running fastest
    return packer.compress(head + data.tobytes(order="F")) + packer.flush()


@functools.cache
def _nifti_head(
    size: int, plane: str, spacing_mm: float, description: str
) -> bytes:
    """Returns what precedes the voxels, the same for all of a model."""
    data = np.zeros([size, size, 1], np.float32)
    affine = slice_affine(plane, size=size, spacing_mm=spacing_mm)
    image = nib.Nifti1Image(data, affine)
    image.header["descrip"] = description
    image.header.set_xyzt_units("mm")
    return image.to_bytes()[: -data.nbytes]


def npy_bytes(suvr: np.ndarray) -> bytes:
    """`[size, size]` SUVR as a float32 `.npy`."""
    file = io.BytesIO()
    np.save(file, np.asarray(suvr, np.float32))
    return file.getvalue()


def png_bytes(image_bytes: bytes, notes: Mapping[str, str]) -> bytes:
    """A PNG with notes as text chunks after its header, pixels untouched.

    Text chunks: PNG specification, third edition, section 11.3.3.

    Args:
        image_bytes: The PNG.
        notes: Keyword (1 to 79 characters) to text, both Latin-1.
    """
    chunks = [image_bytes[:_SIGNATURE_AND_HEADER]]
    for key, text in notes.items():
        content = f"{key}\0{text}".encode("latin-1")
        chunks += [
            struct.pack(">I", len(content)),
            b"tEXt",
            content,
            struct.pack(">I", zlib.crc32(b"tEXt" + content)),
        ]
    return b"".join([*chunks, image_bytes[_SIGNATURE_AND_HEADER:]])


def suvr_of_png(image_bytes: bytes, suvr_max: float) -> np.ndarray:
    """The SUVR that a grey 16-bit PNG stores, float32 `[size, size]`.

    Args:
        image_bytes: The whole file.
        suvr_max: SUVR that 65535 stands for.

    Raises:
        ValueError: If it is damaged or not a 16-bit PNG.
    """
    try:
        with Image.open(io.BytesIO(image_bytes), formats=["PNG"]) as image:
            stored = np.asarray(image)
    # pillow reports a damaged file as any of these
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"expected a whole 16-bit PNG, found a damaged one ({error})"
        ) from error
    return suvr_from_png(stored, suvr_max)
