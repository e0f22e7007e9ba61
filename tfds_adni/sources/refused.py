"""Files that cannot be used, whatever they hold, zip archives among them."""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from tfds_adni.sources.images import ImageFile, has_image_name
from tfds_adni.sources.names import description_in, image_id_in, subject_in
from tfds_adni.sources.record import ScanRecord
from tfds_adni.sources.tree import Tree, names_of, parts_below


def refuse(
    paths: Iterable[Path], root: Path, problem: str, *, image_id: str = ""
) -> ScanRecord:
    """Words a record by the names of a path alone.

    Args:
        paths: One file or several that belong together.
        root: The folder of the cohort.
        problem: Why it cannot be used.
        image_id: The image id, where it is known better than from the name.
    """
    paths = tuple(paths)
    names = parts_below(paths[0], root) or (paths[0].name,)
    return ScanRecord(
        paths=paths,
        subject=subject_in(names),
        image_id=image_id or image_id_in(names),
        description=description_in(names),
        problem=problem,
    )


def refuse_images(images: Iterable[ImageFile], root: Path) -> list[ScanRecord]:
    """Words the records of images that cannot be read.

    Args:
        images: Images with a problem.
        root: The folder of the cohort.

    Returns:
        One record for each image, and one for each DICOM series: the files
        of one folder and image id.
    """
    records = []
    series = defaultdict(list)
    for image in images:
        if image.is_dicom:
            image_id = image_id_in(parts_below(image.path, root))
            series[image.path.parent, image_id].append(image)
        else:
            records.append(refuse([image.path], root, image.problem))
    for files in series.values():
        paths = [file.path for file in files]
        records.append(refuse(paths, root, files[0].problem))
    return records


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
    """Returns the names of the images in a zip, `None` where it is broken."""
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
