"""One reader for each way a cohort comes; each gives scan records.

A reader is a function `read(tree, images) -> list[ScanRecord]` in a file of its
own: the tree is what one walk through the folder found, the images are what
their names promise. `read_folder` chooses among them by what lies in the folder
and adds the records of what no reader can use.
"""

from pathlib import Path

from tfds_adni.sources import bids, ida
from tfds_adni.sources.collection import missing_collection
from tfds_adni.sources.images import ImageFile, find_images, has_image_name
from tfds_adni.sources.names import image_id_in
from tfds_adni.sources.record import Label, ScanRecord
from tfds_adni.sources.refused import packed, refuse, refuse_images
from tfds_adni.sources.tree import Tree, parts_below, walk

__all__ = ["Label", "ScanRecord", "missing_tables", "read_folder", "source_of"]

_READERS = {"ida": ida.read, "bids": bids.read}
_BIDS_TABLES = ("dataset_description.json", "participants.tsv")


def read_folder(folder: Path) -> list[ScanRecord]:
    """Reads a cohort from a folder, whichever way it came.

    Args:
        folder: An IDA download, with its tables among the images or without;
            a PET-BIDS data set; or output of Clinica.

    Returns:
        Records in order of subject, date, image id and path; every image file
        found is in exactly one.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        NotADirectoryError: If it is a file.
    """
    tree = _walk(folder)
    images = find_images(tree)
    records = [
        *_READERS[_source(tree, images)](tree, images),
        *refuse_images((i for i in images if i.problem), tree.root),
        *(
            refuse([path], tree.root, why)
            for path, why in tree.closed.items()
            if not has_image_name(path.name)
        ),
        *(refuse([p], tree.root, why) for p, why in packed(tree)),
    ]
    if not records:
        raise FileNotFoundError(
            f"expected PET images (NIfTI or Analyze) below {folder}, found "
            "none; download them from LONI as NIfTI and unpack them there"
        )
    return sorted(
        records, key=lambda r: (r.subject, r.date, r.image_id, r.paths)
    )


def source_of(folder: Path) -> str:
    """Says which way a cohort came.

    Args:
        folder: A folder that `read_folder` takes.

    Returns:
        `"ida"` or `"bids"`. It is BIDS if it holds images with names of BIDS,
        and either the tables or folders of BIDS at its top or no image id of
        the IDA.

    Raises:
        FileNotFoundError: If the folder is missing.
        NotADirectoryError: If it is a file.
    """
    tree = _walk(folder)
    return _source(tree, find_images(tree))


def missing_tables(folder: Path) -> str:
    """Words the error for a cohort that no table gives a diagnosis for.

    Args:
        folder: A folder that `read_folder` takes.

    Returns:
        One line: the table expected, what was found instead, what to do.
    """
    tree = _walk(folder)
    if _source(tree, find_images(tree)) == "ida":
        return missing_collection(tree)
    return (
        "expected a diagnosis in participants.tsv or sub-*_sessions.tsv in "
        f"{tree.root}, found none; point at the folder that holds them, or "
        "give a table of ADNI with --diagnosis"
    )


def _walk(folder: Path) -> Tree:
    """Walks a folder that has to be one."""
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(
            f"expected a folder of PET scans, found nothing at {folder}; "
            "give the folder the LONI zip was unpacked into, or make a "
            f"phantom with: pet-dcgan phantom {folder}"
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"expected a folder of PET scans, found a file at {folder}; "
            "unpack the download and give its folder"
        )
    return walk(folder)


def _source(tree: Tree, images: list[ImageFile]) -> str:
    """Tells BIDS from the IDA's own way, as `source_of` says."""
    if not any(bids.parse_name(image.stem) for image in images):
        return "ida"
    for path in tree.files:
        top = parts_below(path, tree.root)
        if top[0].startswith("sub-") or top[0] in _BIDS_TABLES:
            return "bids"
    ids = (image_id_in(parts_below(i.path, tree.root)) for i in images)
    return "ida" if any(ids) else "bids"
