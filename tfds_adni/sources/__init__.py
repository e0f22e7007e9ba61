"""One reader for each way a cohort comes; each gives scan records.

A reader is a function `read(tree, images) -> list[ScanRecord]` in a file of its
own: the tree is what one walk through the folder found, the images are what
their names promise. `read_folder` chooses among them by what lies in the folder
and adds the records of what no reader can use.
"""

from pathlib import Path

from tfds_adni.sources import bids, ida
from tfds_adni.sources.folder import ScanFolder
from tfds_adni.sources.images import ImageFile, find_images, has_image_name
from tfds_adni.sources.names import image_id_in
from tfds_adni.sources.record import Label, ScanRecord
from tfds_adni.sources.refused import packed, refuse, refuse_images
from tfds_adni.sources.spreadsheet import SheetCache
from tfds_adni.sources.tree import Tree, parts_below, walk

__all__ = ["Label", "ScanFolder", "ScanRecord", "read_folder"]

_READERS = {"ida": ida.read, "bids": bids.read}
_BIDS_TABLES = ("dataset_description.json", "participants.tsv")


def read_folder(
    folder: Path, *, sheets: SheetCache | None = None
) -> ScanFolder:
    """Reads a cohort from a folder, whichever way it came, by one walk.

    It is BIDS if it holds images with names of BIDS, and either the tables or
    folders of BIDS at its top or no image id of the IDA.

    Args:
        folder: An IDA download, with its tables among the images or without;
            a PET-BIDS data set; or output of Clinica.
        sheets: Opens its tables; all of each where `None`.

    Returns:
        What lies there; every image file found is in exactly one record.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        NotADirectoryError: If it is a file.
    """
    tree = _walk(folder, sheets)
    images = find_images(tree)
    source = _source(tree, images)
    records = [
        *_READERS[source](tree, images),
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
    records.sort(key=lambda r: (r.subject, r.date, r.image_id, r.paths))
    return ScanFolder(tree, source, tuple(records))


def _walk(folder: Path, sheets: SheetCache | None) -> Tree:
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
    return walk(folder, sheets=sheets)


def _source(tree: Tree, images: list[ImageFile]) -> str:
    """Tells BIDS from the IDA's own way, as `read_folder` says."""
    if not any(bids.parse_name(image.stem) for image in images):
        return "ida"
    for path in tree.files:
        top = parts_below(path, tree.root)
        if top[0].startswith("sub-") or top[0] in _BIDS_TABLES:
            return "bids"
    ids = (image_id_in(parts_below(i.path, tree.root)) for i in images)
    return "ida" if any(ids) else "bids"
