"""One scan as its source describes it, before anybody opens it.

What cannot be used is a record too, with its problem: images that cannot be
read, folders that cannot be entered, zip archives.
"""

import dataclasses
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from tfds_adni.sources.images import ImageFile, has_image_name
from tfds_adni.sources.names import description_in, image_id_in, subject_in
from tfds_adni.sources.tree import Tree


@dataclasses.dataclass(frozen=True)
class Label:
    """A subject's diagnosis in one of the source's own tables.

    Attributes:
        text: The cell as it stands, such as `LMCI`; never empty.
        source: The table: `"collection CSV Group"`, `"XML DX Group"`,
            `"sessions.tsv"` or `"participants.tsv"`.
    """

    text: str
    source: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanRecord:
    """One scan: its files and what the tables say of it.

    Every image file found is in exactly one record.

    Attributes:
        paths: The image files, several where a raw scan has one for each
            frame; the `.hdr` stands for an Analyze pair.
        subject: Subject id, such as `999_S_9001`; of a BIDS data set that is
            not ADNI's, `sub-` and the label; `""` where unknown.
        image_id: Image id of the IDA without its leading I, such as `900015`;
            in BIDS the file's name without its extension. Of several records
            with one image id one at most may be used. `""` where unknown.
        visit: Visit code as the table has it, `""` where unknown.
        date: Acquisition date, ISO (`2012-05-05`), `""` where unknown.
        description: The series description of the table or of the file name.
        tracer: Where the source itself names it, else `""`: read the
            description.
        level: Processing level where the source itself names it, one of
            `names.LEVELS`, else `""`: read the description.
        labels: Diagnoses in the source's own tables, the most specific first.
        age: Years at the scan, -1 where unknown.
        sex: `"F"`, `"M"` or `""`.
        problem: Why the scan cannot be used, `""` where it can.
        unlisted: Why the source's tables do not label it, `""` where they do
            or there are none; another table may.
        rank: Place among the copies of one image, from 0; the first whose
            header is sound is the one to use.
        copy: Why it is not used where one before it is; empty at rank 0.
    """

    paths: tuple[Path, ...]
    subject: str
    image_id: str
    visit: str = ""
    date: str = ""
    description: str = ""
    tracer: str = ""
    level: str = ""
    labels: tuple[Label, ...] = ()
    age: float = -1.0
    sex: str = ""
    problem: str = ""
    unlisted: str = ""
    rank: int = 0
    copy: str = ""


def labels_of(text: str, source: str) -> tuple[Label, ...]:
    """Returns the label of a cell, none where the cell is empty.

    Args:
        text: The cell.
        source: The table, as in `Label`.
    """
    return (Label(text, source),) if text else ()


def reject(tree: Tree, paths: Iterable[Path], problem: str) -> ScanRecord:
    """Returns the record of files that cannot be used, by their names alone.

    Args:
        tree: The folder of the cohort.
        paths: One file or several that belong together.
        problem: Why they cannot be used.
    """
    paths = tuple(paths)
    names = tree.parts(paths[0]) or (paths[0].name,)
    return ScanRecord(
        paths=paths,
        subject=subject_in(names),
        image_id=image_id_in(names),
        description=description_in(names),
        problem=problem,
    )


def reject_all(tree: Tree, images: Iterable[ImageFile]) -> list[ScanRecord]:
    """Returns the records of all that no source can read.

    Args:
        tree: The folder of the cohort.
        images: Its images.

    Returns:
        One record for each image with a problem, each DICOM series (the files
        of one folder and image id), each folder that was not entered, and
        each zip archive whose images are not unpacked.
    """
    problem_of: dict[Path, str] = {}
    series = defaultdict(list)
    for image in images:
        if image.is_dicom:
            image_id = image_id_in(tree.parts(image.path))
            series[image.path.parent, image_id, image.problem].append(
                image.path
            )
        elif image.problem:
            problem_of[image.path] = image.problem
    for path, why in tree.closed.items():
        if not has_image_name(path.name):
            problem_of[path] = why
    problem_of.update(_packed(tree))
    return [
        *(reject(tree, paths, key[-1]) for key, paths in series.items()),
        *(reject(tree, [path], why) for path, why in problem_of.items()),
    ]


def _packed(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Yields the zips whose images do not all lie unpacked in the folder.

    Only the archives' lists of contents are read. An image counts as unpacked
    where a file of its name lies anywhere in the folder.
    """
    unpacked = {path.name for path in (*tree.files, *tree.odd)}
    for path in tree.files_ending(".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                files = [
                    i.filename for i in archive.infolist() if not i.is_dir()
                ]
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            yield path, "zip archive that cannot be read; download it again"
            continue
        names = {PurePosixPath(name).name for name in files}
        images = {n for n in names if has_image_name(n) and n[0] != "."}
        if not images <= unpacked:
            yield (
                path,
                "zip archive with images that are not unpacked; unpack it here",
            )
