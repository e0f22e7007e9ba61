"""Copies of scans in random trees: sound, broken, zipped, renamed.

Each function adds one thing to a tree whose scans are written.
"""

import shutil
from pathlib import Path

import tree_images

# Forms of one file whose name ends in .nii.
_SINGLE = ("nii", "float", "big_endian", "singleton", "qform")


def copies(tree, rng) -> None:
    """The same scan out of two zips, with all its frames."""
    for scan in _sound(tree, rng, frames=4):
        copy = []
        for path in scan.paths:
            copy.append(str(Path("zip again", path)))
            _copy(tree, path, copy[-1])
        scan.copies.append(copy)


def broken_copy(tree, rng) -> None:
    """The same scan twice, once broken, as large and as well named."""
    for scan in _sound(tree, rng):
        copy = str(Path(rng.choice(("A again", "zip again")), scan.paths[0]))
        path = _copy(tree, scan.paths[0], copy)
        sound = path.read_bytes()
        path.write_bytes(rng.choice((sound[:100], bytes(len(sound) + 9))))
        scan.broken.append(copy)


def zipped_copy(tree, rng) -> None:
    """A .nii that was zipped in its place and kept."""
    for scan in _sound(tree, rng):
        path = tree.folder / scan.paths[0]
        copy = path.with_name(f"{path.name}.gz")
        copy.write_bytes(tree_images.zipped(path.read_bytes()))
        scan.copies.append([tree.name(copy)])


def zipped_beside_broken(tree, rng) -> None:
    """A .nii that was unzipped until the disk was full."""
    for scan in _sound(tree, rng):
        path = tree.folder / scan.paths[0]
        scan.broken.append(scan.paths.pop())
        whole = path.with_name(f"{path.name}.gz")
        whole.write_bytes(tree_images.zipped(path.read_bytes()))
        path.write_bytes(path.read_bytes()[:1000])
        scan.paths.append(tree.name(whole))


def renamed_copy(tree, rng) -> None:
    """A copy beside the image: a browser's, a file manager's, SPM's."""
    for scan in _sound(tree, rng):
        path = Path(scan.paths[0])
        forms = ("{} (1)", "{} - Copy", "w{}", "{}_copy2")
        copy = path.with_stem(rng.choice(forms).format(path.stem))
        _copy(tree, scan.paths[0], str(copy))
        scan.copies.append([str(copy)])


def leftover_half(tree, rng) -> None:
    """The voxels of an Analyze pair that was converted, its header gone."""
    for scan in _sound(tree, rng):
        path = tree.folder / scan.paths[0]
        half = path.with_suffix(".img")
        half.write_bytes(bytes(100))
        tree.loose[tree.name(half)] = "file"


def _copy(tree, path: str, copy: str) -> Path:
    """Copies a file within the tree."""
    target = tree.folder / copy
    target.parent.mkdir(parents=True, exist_ok=True)
    return shutil.copy(tree.folder / path, target)


def _sound(tree, rng, frames: int = 1) -> list:
    """One sound scan of at most so many files, if there is any."""
    scans = [
        scan
        for scan in tree.scans
        if not scan.faults
        and len(scan.paths) <= frames
        and scan.form in _SINGLE
        # of the others a copy elsewhere would tell less
        and scan.labels
        and not scan.copies + scan.broken
    ]
    return rng.sample(scans, min(1, len(scans)))


COPIES = (
    copies,
    broken_copy,
    zipped_copy,
    zipped_beside_broken,
    renamed_copy,
    leftover_half,
)
