"""The image files of a folder: which can be read, which make up one scan.

NIfTI (`.nii`), MGH (`.mgh`, `.mgz`) and Analyze or NIfTI pairs (`.hdr` with
`.img`) are read, packed with gzip, bzip2 or zstd or not. Other formats, which
scanners, archives and programs produce too, are rejected with the tool that
converts them.

The IDA stores the frames of a raw scan as files of one image id in one folder;
their names differ in the stamp and the number only. Any other file of the same
image id is a copy: of several copies one is used.
"""

import dataclasses
import glob
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tfds_adni.sources.tree import Tree

# Of copies beside each other the first of these is read.
_FORMATS = (".nii", ".mgh", ".mgz", ".hdr", ".img")
_READ = re.compile(r"(\.(?:nii|mg[hz]|hdr|img))((?:\.(?:gz|bz2|zst))*)\Z", re.I)
_DICOM = "DICOM; convert it to NIfTI with dcm2niix"
_REJECTED = {
    **dict.fromkeys((".dcm", ".dicom", ".dic", ".ima"), _DICOM),
    ".v": "ECAT; convert it to NIfTI with pypet2bids",
    ".mnc": "MINC; convert it to NIfTI with mnc2nii",
    ".nrrd": "NRRD; convert it to NIfTI with 3D Slicer",
    ".nhdr": "NRRD; convert it to NIfTI with 3D Slicer",
    ".mha": "MetaImage; convert it to NIfTI with 3D Slicer",
    ".mhd": "MetaImage; convert it to NIfTI with 3D Slicer",
    ".mif": "MRtrix; convert it to NIfTI with mrconvert",
    ".brik": "AFNI; convert it to NIfTI with 3dAFNItoNIFTI",
}
_PACKED = "packed in a way that is not read here; unpack it"
_UNFINISHED = "an unfinished download; download it again"
# What the name of an image may end in besides.
_APPENDED = {
    **dict.fromkeys((".gz", ".bz2", ".zst", ".xz", ".lzma"), _PACKED),
    **dict.fromkeys((".lz4", ".z", ".7z", ".rar"), _PACKED),
    **dict.fromkeys((".part", ".partial", ".filepart"), _UNFINISHED),
    **dict.fromkeys((".crdownload", ".download", ".tmp"), _UNFINISHED),
}
_IMAGE = re.compile(
    r"\.(?:nii|mg[hz]|img|dcm|ima|v|mnc|nrrd|mha|mif|brik)(?:\.(?:gz|bz2|zst))*\Z",
    re.I,
)
# A DICOM file has these letters after a preamble of 128 bytes.
_MAGIC_AT, _MAGIC = 128, b"DICM"

_LONE = {
    ".hdr": "Analyze header without its image (.img)",
    ".img": "Analyze image without its header (.hdr)",
}
_SECOND = "a second half of an Analyze pair"
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
        extension: The extension in lower case, such as `.nii.gz`.
        problem: Why it cannot be read, `""` where it can.
        date: ISO, in its DICOM header; `""` where unknown.
    """

    path: Path
    voxels: Path
    stem: str
    extension: str
    problem: str = ""
    date: str = ""

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
    return _by_name(Path(name)) is not None


def split_name(name: str) -> tuple[str, str] | None:
    """Splits the name of an image that can be read.

    Returns:
        Its stem, and its extension in lower case; `None` for other names.
    """
    match = _READ.search(name)
    return (name[: match.start()], match[0].lower()) if match else None


def voxels_of(header: Path) -> Path | None:
    """Returns the file with the voxels of a pair, `None` where there is none.

    Args:
        header: The `.hdr`; the other half may be packed in another way.
    """
    match = _READ.search(header.name)
    stem = header.name[: match.start()]
    end = {".hdr": ".img", ".HDR": ".IMG"}.get(match[1], ".Img") + match[2]
    if (voxels := header.with_name(stem + end)).exists():
        return voxels
    # other packings and capitals are rare, so that folders seldom are listed
    beside = map(_by_name, header.parent.glob(f"{glob.escape(stem)}.*"))
    pairs = _pair_up(filter(None, beside))
    return {i.path: i.voxels for i in pairs if not i.problem}.get(header)


def _by_name(path: Path) -> ImageFile | None:
    """Returns the image of a file that has the name of one."""
    if parts := split_name(path.name):
        return ImageFile(path, path, *parts)
    stem, end = path.stem, path.suffix.lower()
    problem = _REJECTED.get(end, "")
    if end in _APPENDED and (match := _IMAGE.search(stem)):
        problem = _APPENDED[end]
        stem, end = stem[: match.start()], match[0].lower() + end
    return ImageFile(path, path, stem, end, problem) if problem else None


def _dicom(path: Path) -> ImageFile | None:
    """Returns a DICOM file without an extension or with a number for one."""
    if (end := path.suffix[1:]) and not end.isdigit():
        return None
    try:
        with open(path, "rb") as file:
            file.seek(_MAGIC_AT)
            magic = file.read(len(_MAGIC))
    except OSError:
        return None
    image = ImageFile(path, path, path.name, "", _DICOM)
    return image if magic == _MAGIC else None


def _pair_up(images: Iterable[ImageFile]) -> list[ImageFile]:
    """Joins each `.hdr` with its `.img`; a lone half has a problem."""
    whole, halves = [], defaultdict(lambda: ([], []))
    for image in images:
        if (part := image.extension[:4]) in _LONE and not image.problem:
            halves[image.path.parent, image.stem][part == ".img"].append(image)
        else:
            whole.append(image)
    return [*whole, *(i for both in halves.values() for i in _pairs(*both))]


def _pairs(
    headers: list[ImageFile], voxels: list[ImageFile]
) -> Iterator[ImageFile]:
    """Yields the pairs of one name; of two packings if there is no other."""
    both = sorted([(h, v) for h in headers for v in voxels], key=_likeness)
    pairs = [p for p in both if len({i.extension[4:] for i in p}) == 1]
    lone = [*headers, *voxels]
    for header, half in pairs or both[:1]:
        if header in lone and half in lone:
            lone = [i for i in lone if i not in (header, half)]
            yield dataclasses.replace(header, voxels=half.path)
    for image in lone:
        lack = _LONE[image.extension[:4]]
        yield dataclasses.replace(image, problem=_SECOND if both else lack)


def _likeness(pair: tuple[ImageFile, ImageFile]) -> tuple:
    """Returns a sort key: halves read easily, named in like capitals."""
    cases = {tuple(map(str.isupper, i.path.name[len(i.stem) :])) for i in pair}
    return _ease(pair[1]), len(cases), *(image.path for image in pair)


def split_copies(
    images: Iterable[ImageFile],
) -> list[tuple[tuple[ImageFile, ...], str]]:
    """Sorts the readable files of one image id into copies of a scan.

    Returns:
        The frames of each copy and why it is not used. The copy to use is
        first, with `""`: the one that the archive named, with the most frames,
        the largest, the most easily read, the first in order of path.
    """
    sets: dict[tuple, dict[str, ImageFile]] = defaultdict(dict)
    copies = []
    for image in sorted(images, key=_ease):
        if sets[image.series].setdefault(image.stem, image) is not image:
            copies.append((image,))
    copies += [tuple(f[s] for s in sorted(f)) for f in sets.values()]
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


def _ease(image: ImageFile) -> tuple[int, int, str]:
    """Returns a sort key: the format and packing read most easily first."""
    packing = image.extension[4:]
    order = _FORMATS.index(image.extension[:4]), bool(packing)
    # gzip before bzip2 before zstd
    return *order, {".gz": "", ".bz2": "1"}.get(packing, packing)


def _preference(frames: Sequence[ImageFile]) -> tuple:
    """Returns a sort key that puts the copy to use first."""
    first = frames[0]
    return (
        _ARCHIVE.fullmatch(first.stem) is None,
        -len(frames),
        -_size(first.voxels),
        _ease(first),
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
