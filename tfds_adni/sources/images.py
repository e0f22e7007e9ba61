"""The image files of a folder: which can be read, which make up one scan.

NIfTI (`.nii`, `.nii.gz`) and Analyze or NIfTI pairs (`.hdr` with `.img`) are
read. DICOM, ECAT and MINC, which scanners and archives produce too, are
rejected with the tool that converts them.

The IDA stores the frames of a raw scan as files of one image id in one folder;
their names differ in the stamp and the number only. Any other file of the same
image id is a copy: of several copies one is used.
"""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfds_adni.sources.tree import Tree

_HEADER = (".hdr", ".hdr.gz")
_VOXELS = (".img", ".img.gz")
# Of `x.nii` and `x.nii.gz` beside each other the first is read.
_READ = (".nii", ".nii.gz", *_HEADER, *_VOXELS)
_DICOM = "DICOM; convert it to NIfTI with dcm2niix"
_REJECTED = {
    ".dcm": _DICOM,
    ".ima": _DICOM,
    ".v": "ECAT; convert it to NIfTI with pypet2bids",
    ".mnc": "MINC; convert it to NIfTI with mnc2nii",
}
_OTHER_HALF = dict(zip(_HEADER + _VOXELS, _VOXELS + _HEADER, strict=True))
# A DICOM file has these letters after a preamble of 128 bytes.
_MAGIC_AT, _MAGIC = 128, b"DICM"

SAME = "a second copy of the image (same content)"
DIFFERENT = "a second file with the same image id (different content)"
# Digits that number a frame; `6mm` or `s8_` would tell versions apart.
_NUMBER = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=frame)|(?<=vol)|(?<=_f)|(?<=_t))\d+(?![A-Za-z0-9])"
)
# The archive's own file name; users add letters in front or behind.
_ARCHIVE = re.compile(r"[A-Z]+_\d{3}_S_\d{4,5}_.+_I\d+")
_BLOCK = 1 << 16


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """One image: a file, or the pair that a `.hdr` stands for.

    Attributes:
        path: The file.
        voxels: The file that holds the voxels, of a pair the `.img`.
        stem: Its name without the extension.
        extension: The extension in lower case, with `.gz`.
        problem: Why it cannot be read, `""` where it can.
    """

    path: Path
    voxels: Path
    stem: str
    extension: str
    problem: str = ""

    @property
    def needs_conversion(self) -> bool:
        """Whether it is of a format that has to be converted first."""
        return self.problem.startswith(tuple(_REJECTED.values()))

    @property
    def is_dicom(self) -> bool:
        """Whether it is one of the many files of a DICOM series."""
        return self.problem.startswith(_DICOM)

    @property
    def series(self) -> tuple[Path, str]:
        """Folder and name without numbers, which frames of a scan share."""
        return self.path.parent, _NUMBER.sub("#", self.stem)


def find_images(tree: Tree) -> list[ImageFile]:
    """Finds the images of a folder by their names.

    Returns:
        Every image once, in order of path; of a pair the `.hdr` alone. Broken
        links with the name of an image are among them.
    """
    found = _pair_up([i for p in tree.files if (i := _by_name(p) or _dicom(p))])
    lost = {**tree.odd, **tree.closed}
    broken = _pair_up([i for path in lost if (i := _by_name(path))])
    broken = [dataclasses.replace(i, problem=lost[i.path]) for i in broken]
    return sorted([*found, *broken], key=lambda image: image.path)


def has_image_name(name: str) -> bool:
    """Whether a file has the name of an image, readable or not."""
    return name.lower().endswith((*_READ, *_REJECTED))


def _by_name(path: Path) -> ImageFile | None:
    """Returns the image of a file that has the name of one."""
    name = path.name.lower()
    for extension in (*_READ, *_REJECTED):
        if name.endswith(extension):
            stem = path.name[: -len(extension)]
            problem = _REJECTED.get(extension, "")
            return ImageFile(path, path, stem, extension, problem)
    return None


def _dicom(path: Path) -> ImageFile | None:
    """Returns a DICOM file without an extension or with a number for one."""
    end = path.suffix[1:]
    if end and not end.isdigit():
        return None
    try:
        with open(path, "rb") as file:
            file.seek(_MAGIC_AT)
            magic = file.read(len(_MAGIC))
    except OSError:
        return None
    image = ImageFile(path, path, path.name, "", _DICOM)
    return image if magic == _MAGIC else None


def _pair_up(images: list[ImageFile]) -> list[ImageFile]:
    """Joins each `.hdr` with its `.img`; a lone half has a problem."""
    halves = {(i.path.parent, i.stem, i.extension): i.path for i in images}
    whole = []
    for image in images:
        other = _OTHER_HALF.get(image.extension)
        half = halves.get((image.path.parent, image.stem, other))
        is_header = image.extension in _HEADER
        if other and not half:
            lack = (
                "Analyze header without its image (.img)"
                if is_header
                else "Analyze image without its header (.hdr)"
            )
            whole.append(dataclasses.replace(image, problem=lack))
        elif is_header:
            whole.append(dataclasses.replace(image, voxels=half))
        elif not other:
            whole.append(image)
    return whole


def split_copies(
    images: Iterable[ImageFile],
) -> list[tuple[tuple[ImageFile, ...], str]]:
    """Sorts the readable files of one image id into copies of a scan.

    Returns:
        The frames of each copy and why it is not used. The copy to use is
        first, with `""`: the one that the archive named, with the most frames,
        the largest, the first in order of path.
    """
    sets: dict[tuple, dict[str, ImageFile]] = defaultdict(dict)
    copies = []
    for image in sorted(images, key=lambda i: _READ.index(i.extension)):
        if sets[image.series].setdefault(image.stem, image) is not image:
            copies.append((image,))
    copies += [
        tuple(frames[s] for s in sorted(frames)) for frames in sets.values()
    ]
    if len(copies) < 2:
        return [(frames, "") for frames in copies]
    first, *others = sorted(copies, key=_preference)
    same = (SAME if _same(first, other) else DIFFERENT for other in others)
    return [(first, ""), *zip(others, same, strict=True)]


def lacks_frame(
    frames: Sequence[ImageFile], broken: Iterable[ImageFile]
) -> bool:
    """Whether one of the broken images is a frame of a scan.

    Args:
        frames: The frames that can be read.
        broken: Images that cannot.
    """
    series, stems = frames[0].series, {frame.stem for frame in frames}
    return any(b.series == series and b.stem not in stems for b in broken)


def _preference(frames: Sequence[ImageFile]) -> tuple:
    """Returns a sort key that puts the copy to use first."""
    first = frames[0]
    return (
        _ARCHIVE.fullmatch(first.stem) is None,
        -len(frames),
        -_size(first.voxels),
        first.path,
    )


def _same(used: Sequence[ImageFile], other: Sequence[ImageFile]) -> bool:
    """Whether a copy has the same frames as the one used."""
    return len(used) == len(other) and all(
        _same_content(a.voxels, b.voxels)
        for a, b in zip(used, other, strict=True)
    )


def _same_content(one: Path, other: Path) -> bool:
    """Compares two files by size, beginning, middle and end.

    Real volumes are tens of megabytes; those that differ do so in a brain.
    """
    size = _size(one)
    if size != _size(other):
        return False
    try:
        with open(one, "rb") as a, open(other, "rb") as b:
            for start in sorted({0, size // 2, max(0, size - _BLOCK)}):
                a.seek(start)
                b.seek(start)
                if a.read(_BLOCK) != b.read(_BLOCK):
                    return False
    except OSError:
        return False
    return True


def _size(path: Path) -> int:
    """Returns a file's size, 0 if it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
