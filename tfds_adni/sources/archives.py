"""Zip archives that lie in a folder with images nobody has unpacked."""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tfds_adni.sources.images import has_image_name
from tfds_adni.sources.tree import Tree, names_of

_UNREADABLE = "zip archive that cannot be read; download it again"
_PACKED = "zip archive with images that are not unpacked; unpack it here"


def packed(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Finds the zips whose images do not all lie unpacked in the folder.

    Only the archives' lists of contents are read. An image counts as unpacked
    where a file of its name lies anywhere in the folder.

    Args:
        tree: What lies in the folder.

    Yields:
        The archive and what to do with it.
    """
    unpacked = None
    for path in names_of(tree, ".zip"):
        names = _image_names(path)
        if names is None:
            yield path, _UNREADABLE
        elif names:
            unpacked = unpacked or {p.name for p in (*tree.files, *tree.odd)}
            if not names <= unpacked:
                yield path, _PACKED


def _image_names(path: Path) -> set[str] | None:
    """Gives the names of the images in a zip, `None` where it is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {
                PurePosixPath(entry.filename).name
                for entry in archive.infolist()
                if not entry.is_dir()
            }
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return {n for n in names if has_image_name(n) and not n.startswith(".")}
