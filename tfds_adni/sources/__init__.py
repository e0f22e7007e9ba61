"""One reader for each layout of a cohort; each returns scan records.

A reader is a module with a function `read(tree, images, date_order=...,
notes=...) -> list[ScanRecord]`: the tree holds the files found in one walk
through the folder, the images are those among them, and the reader adds its
warnings to the list of notes. `read_folder` chooses a reader by the content of
the folder and adds the records of what no reader can use.
"""

import dataclasses
import shlex
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tfds_adni.sources import bids, ida
from tfds_adni.sources.archives import packed
from tfds_adni.sources.bids_tables import OTHER_IDS
from tfds_adni.sources.dicom import Conversion, convert_dicom
from tfds_adni.sources.ida_metadata import missing_collection
from tfds_adni.sources.images import ImageFile, find_images, has_image_name
from tfds_adni.sources.record import Label, ScanRecord, image_id_in, reject
from tfds_adni.sources.tree import Tree, walk
from tfds_adni.sources.twins import require_one_twin
from tfds_adni.tables.spreadsheet import SheetCache

__all__ = ["Label", "ScanFolder", "ScanRecord", "read_folder"]

_READERS = {"ida": ida.read, "bids": bids.read}
_BIDS_TABLES = ("dataset_description.json", "participants.tsv")


@dataclasses.dataclass(frozen=True)
class ScanFolder:
    """A folder and its scans as its own files describe them.

    Attributes:
        tree: Its files and tables.
        source: Its layout, `"ida"` or `"bids"`.
        records: In order of subject, date, image id and path.
        notes: Warnings about how they were read, a line each.
    """

    tree: Tree
    source: str
    records: tuple[ScanRecord, ...]
    notes: tuple[str, ...] = ()

    def missing_tables(self) -> str:
        """Returns the error for a cohort without a table of diagnoses.

        Returns:
            One line: the table required, what was found, what to do.
        """
        if self.source == "ida":
            return missing_collection(self.tree)
        ids = [note for note in self.notes if OTHER_IDS in note]
        return (
            "expected a diagnosis in participants.tsv or sub-*_sessions.tsv "
            f"in {self.tree.root}, found none; {''.join(f'{n}; ' for n in ids)}"
            "point at the folder that holds them, or give a table of ADNI with "
            "--diagnosis"
        )


def read_folder(
    folder: Path,
    *,
    sheets: SheetCache | None = None,
    date_order: str = "",
    dicom_cache: Path | None = None,
) -> ScanFolder:
    """Reads a cohort from a folder of any known layout, in one walk.

    A folder is BIDS if images in it have BIDS names and either its top level
    holds tables or folders of BIDS or no path holds an image id of the IDA.

    Args:
        folder: An IDA download, with its tables among the images or without;
            a PET-BIDS data set; or output of Clinica.
        sheets: Opens its tables; if `None`, each is read whole.
        date_order: As in `Selection`.
        dicom_cache: As in `Reading`.

    Returns:
        Its scans; every image file found is in exactly one record.

    Raises:
        DateOrderError: If the date of an image can be read in two ways.
        FileNotFoundError: If the folder is missing or holds no image.
        NotADirectoryError: If it is a file.
        ValueError: If it holds a phantom's people and their twins.
    """
    folder = require_folder(Path(folder))
    tree = walk(folder, sheets=sheets)
    images = find_images(tree)
    require_one_twin(tree, images)
    source = _source(tree, images)
    # A BIDS data set is read from its NIfTI files.
    found = Conversion(images)
    if source != "bids":
        found = convert_dicom(tree, images, dicom_cache)
    notes = [*found.notes]
    read = _READERS[source]
    records = [
        *found.complete(
            read(tree, found.images, date_order=date_order, notes=notes)
        ),
        *found.records,
        *_unusable(tree, found.images),
    ]
    if not records:
        found = "none; download them from LONI as NIfTI and unpack them there"
        if any(folder.glob("adni/*/*/dataset_info.json")):
            found = "prepared data sets; give the folder of the scans"
        raise FileNotFoundError(
            f"expected PET images (NIfTI, Analyze, DICOM) below {folder}, "
            f"found {found}"
        )
    records.sort(key=lambda r: (r.subject, r.date, r.image_id, r.paths))
    return ScanFolder(tree, source, tuple(records), tuple(notes))


def require_folder(folder: Path) -> Path:
    """Returns a folder, refuses what is none.

    Args:
        folder: The user's.

    Raises:
        FileNotFoundError: If there is nothing.
        NotADirectoryError: If it is a file.
    """
    if not folder.exists():
        raise FileNotFoundError(
            f"expected a folder of PET scans, found nothing at {folder}; "
            "give the folder the LONI zip was unpacked into, or make a "
            f"phantom with: pet-dcgan phantom {shlex.quote(str(folder))}"
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"expected a folder of PET scans, found a file at {folder}; "
            "unpack the download and give its folder"
        )
    return folder


def _source(tree: Tree, images: list[ImageFile]) -> str:
    """Returns the layout of a folder by the rule of `read_folder`."""
    readable = (image for image in images if not image.is_dicom)
    if not any(bids.parse_name(image.stem) for image in readable):
        return "ida"
    tops = {tree.parts(path)[0] for path in tree.files}
    if any(top.startswith("sub-") or top in _BIDS_TABLES for top in tops):
        return "bids"
    ids = (image_id_in(tree.parts(image.path)) for image in images)
    return "ida" if any(ids) else "bids"


def _unusable(tree: Tree, images: Iterable[ImageFile]) -> list[ScanRecord]:
    """Returns the records of what no reader can use.

    One for each image with a problem, DICOM series (the files of one folder
    and image id), folder that was not entered, and archive with images that
    are not unpacked.
    """
    files = defaultdict(list)
    for image in images:
        if image.problem:
            image_id = image_id_in(tree.parts(image.path))
            series = (image.path.parent, image_id)
            key = series if image.is_dicom else image.path
            files[key, image.problem].append(image.path)
    for path, problem in (*tree.closed.items(), *packed(tree)):
        if not has_image_name(path.name):
            files[path, problem].append(path)
    return [reject(tree, paths, why) for (_, why), paths in files.items()]
