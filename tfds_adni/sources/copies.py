"""Tells the frames of one scan from copies of it.

The IDA stores the frames of a raw scan as files of one image id in one folder,
their names alike but for the stamp and the number. Whatever else carries the
same image id is a copy: of several copies one is used.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfds_adni.sources.images import ImageFile

SAME = "a second copy of an image (the same content)"
DIFFERENT = "a second file of one image id (other content)"
# Digits that number a frame; `6mm` or `s8_` would tell versions apart.
_NUMBER = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=frame)|(?<=vol)|(?<=_f)|(?<=_t))\d+(?![A-Za-z0-9])"
)
# As the archive itself names a file; users put letters in front or behind.
_ARCHIVE = re.compile(r"[A-Z]+_\d{3}_S_\d{4,5}_.+_I\d+")
# Of `x.nii` and `x.nii.gz` beside each other the first is read.
_FORMS = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
_BLOCK = 1 << 16


def tell_apart(
    images: Iterable[ImageFile],
) -> list[tuple[tuple[ImageFile, ...], str]]:
    """Sorts the files of one image id into scans.

    Args:
        images: The files, none with a problem.

    Returns:
        The frames of each copy, the one to use first at the front: the one
        the archive named, with the most frames, the largest, the first in
        order of path. With each why it goes behind that one.
    """
    sets = _frames(images)
    if len(sets) < 2:
        return [(frames, "") for frames in sets]
    first, *others = sorted(sets, key=_preference)
    return [(first, ""), *((o, _difference(first, o)) for o in others)]


def _frames(images: Iterable[ImageFile]) -> list[tuple[ImageFile, ...]]:
    """Puts files together that differ in the number of a frame alone."""
    sets: dict[tuple, dict[str, ImageFile]] = defaultdict(dict)
    twins = []
    for image in sorted(images, key=lambda i: _FORMS.index(i.extension)):
        frames = sets[series_of(image)]
        if frames.setdefault(image.stem, image) is not image:
            twins.append((image,))
    return [
        *(
            tuple(frames[stem] for stem in sorted(frames))
            for frames in sets.values()
        ),
        *twins,
    ]


def series_of(image: ImageFile) -> tuple[Path, str]:
    """Returns what the frames of one scan have in common: folder and name.

    Returns:
        The folder, and the file's name with `#` for what counts the frames.
    """
    return image.path.parent, _NUMBER.sub("#", image.stem)


def lacks_frame(
    frames: Sequence[ImageFile], broken: Iterable[ImageFile]
) -> bool:
    """Says whether one of the broken images is a frame of a scan.

    Args:
        frames: The frames that can be read.
        broken: Images that cannot.
    """
    stems = {frame.stem for frame in frames}
    series = series_of(frames[0])
    return any(series_of(b) == series and b.stem not in stems for b in broken)


def _preference(frames: Sequence[ImageFile]) -> tuple:
    """Orders copies, the one to use first."""
    first = frames[0]
    return (
        _ARCHIVE.fullmatch(first.stem) is None,
        -len(frames),
        -_size(first.voxels),
        first.path,
    )


def _difference(used: Sequence[ImageFile], other: Sequence[ImageFile]) -> str:
    """Says whether a copy holds what the one used holds."""
    same = len(used) == len(other) and all(
        _same_content(a.voxels, b.voxels)
        for a, b in zip(used, other, strict=True)
    )
    return SAME if same else DIFFERENT


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
    """Returns a file's size, 0 where nobody may ask."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
