"""Archives in a folder: those whose images are not unpacked beside them."""

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tfds_adni.sources.bounded_file import BoundedFile, TooMuchError
from tfds_adni.sources.images import has_image_name
from tfds_adni.sources.tree import Tree

# Their lists of contents cannot be read without unpacking all of them.
_CLOSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".7z", ".rar")
_UNFINISHED = (".zip.part", ".zip.crdownload", ".zip.download", ".zip.tmp")
# Of lists of contents; some 100,000 files take less.
_MAX_BYTES = 2**25
_UNREAD = "archive that is not read; unpack it here if it has images"
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, OSError, ValueError, EOFError)


def packed(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Yields the archives with images that are not unpacked in the folder.

    Only the lists of contents of zip and plain tar are read; of the archives
    that have none, any may hold images. An image counts as unpacked if a file
    of its name is anywhere in the folder.

    Args:
        tree: The folder.

    Yields:
        An archive and why its images are not used.
    """
    unpacked = {path.name for path in (*tree.files, *tree.odd)}
    for path in tree.files_ending(".zip", ".tar"):
        kind = path.suffix.lower()[1:]
        try:
            files = _contents(path)
        except TooMuchError:  # very many files, or a false size
            yield path, _UNREAD
            continue
        except (*_BROKEN, NotImplementedError):
            yield path, f"{kind} archive that cannot be read; download it again"
            continue
        names = {PurePosixPath(name).name for name in files}
        images = {n for n in names if has_image_name(n) and n[0] != "."}
        if not images <= unpacked:
            yield (
                path,
                f"{kind} archive with images that are not unpacked; unpack it "
                "here",
            )
    for path in tree.files_ending(*_CLOSED):
        yield path, _UNREAD
    for path in tree.files_ending(*_UNFINISHED):
        yield path, "an unfinished download; download it again"


def _contents(path: Path) -> list[str]:
    """Returns the names of the files in a zip or plain tar."""
    with path.open("rb") as opened:
        file = BoundedFile(opened, _MAX_BYTES)
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                return [i.filename for i in members if not i.is_dir()]
        with tarfile.open(fileobj=file, mode="r:") as archive:
            return [member.name for member in archive if member.isfile()]
