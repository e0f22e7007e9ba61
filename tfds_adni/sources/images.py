"""Which files of a folder are images, and which of them can be read.

NIfTI (`.nii`, `.nii.gz`) and Analyze or NIfTI pairs (`.hdr` with `.img`) are
read. DICOM, ECAT and MINC, which scanners and archives hand out too, are named
and refused with the tool that converts them.
"""

import dataclasses
import os
from pathlib import Path

from tfds_adni.sources.tree import Tree

_NIFTI = (".nii", ".nii.gz")
_HEADER = (".hdr", ".hdr.gz")
_VOXELS = (".img", ".img.gz")
_READ = (*_NIFTI, *_HEADER, *_VOXELS)
_DICOM = "DICOM; convert it to NIfTI with dcm2niix"
_REFUSED = {
    ".dcm": _DICOM,
    ".ima": _DICOM,
    ".v": "ECAT; convert it to NIfTI with pypet2bids",
    ".mnc": "MINC; convert it to NIfTI with mnc2nii",
}
_NO_HEADER = "Analyze image without its header (.hdr)"
_NO_VOXELS = "Analyze header without its image (.img)"
_OTHER_HALF = {
    **{h: (v, _NO_VOXELS) for h, v in zip(_HEADER, _VOXELS, strict=True)},
    **{v: (h, _NO_HEADER) for h, v in zip(_HEADER, _VOXELS, strict=True)},
}
# A DICOM file has these letters after a preamble of 128 bytes.
_MAGIC_AT, _MAGIC = 128, b"DICM"


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """One image: a file, or the pair that a `.hdr` stands for.

    Attributes:
        path: The file.
        voxels: The file that the voxels are in, of a pair the `.img`.
        stem: Its name without the extension.
        extension: The extension in small letters, with `.gz`.
        problem: Why it cannot be read, `""` where it can.
    """

    path: Path
    voxels: Path
    stem: str
    extension: str
    problem: str = ""

    @property
    def is_of_another_format(self) -> bool:
        """Whether it has to be converted first."""
        return self.problem in _REFUSED.values()

    @property
    def is_dicom(self) -> bool:
        """Whether it is one of the many files of a DICOM series."""
        return self.problem == _DICOM


def find_images(tree: Tree) -> list[ImageFile]:
    """Finds the images of a folder by their names.

    Args:
        tree: What lies in the folder.

    Returns:
        Every image once, in order of path; of a pair the `.hdr` alone. Links
        that lead nowhere are among them where they are named like images.
    """
    found = _pair_up([i for path in tree.files if (i := _recognise(path))])
    lost = {**tree.odd, **tree.closed}
    broken = _pair_up([i for path in lost if (i := _by_name(path))])
    broken = [dataclasses.replace(i, problem=lost[i.path]) for i in broken]
    return sorted([*found, *broken], key=lambda image: image.path)


def has_image_name(name: str) -> bool:
    """Says whether a file's name is that of an image, readable or not."""
    return name.lower().endswith((*_READ, *_REFUSED))


def _recognise(path: Path) -> ImageFile | None:
    """Returns the image a file is, by its name or, lacking one, its content."""
    image = _by_name(path)
    if image is None and _could_be_dicom(path) and _is_dicom(path):
        return ImageFile(path, path, path.name, "", _DICOM)
    return image


def _by_name(path: Path) -> ImageFile | None:
    """Returns the image that a file's name promises."""
    name = path.name.lower()
    for extension in (*_READ, *_REFUSED):
        if name.endswith(extension):
            stem = path.name[: -len(extension)]
            problem = _REFUSED.get(extension, "")
            return ImageFile(path, path, stem, extension, problem)
    return None


def _pair_up(images: list[ImageFile]) -> list[ImageFile]:
    """Joins each `.hdr` with its `.img`, and names halves without other."""
    halves = {(i.path.parent, i.stem, i.extension): i.path for i in images}
    whole = []
    for image in images:
        if image.extension not in _OTHER_HALF:
            whole.append(image)
            continue
        other, lack = _OTHER_HALF[image.extension]
        half = halves.get((image.path.parent, image.stem, other))
        if half is None:
            whole.append(dataclasses.replace(image, problem=lack))
        elif image.extension in _HEADER:
            whole.append(dataclasses.replace(image, voxels=half))
    return whole


def _could_be_dicom(path: Path) -> bool:
    """Says whether a name is one that DICOM files without extension have."""
    end = path.suffix[1:]
    return not end or end.isdigit()


def _is_dicom(path: Path) -> bool:
    """Looks for DICOM's letters in a file."""
    try:
        with open(path, "rb") as file:
            file.seek(_MAGIC_AT, os.SEEK_SET)
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False
