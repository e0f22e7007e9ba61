"""The DICOM series of a folder, each converted through the cache."""

import dataclasses
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tfds_adni.sources.dicom import conversion
from tfds_adni.sources.dicom.cache import DicomCache, default_folder
from tfds_adni.sources.dicom.notes import notes_of
from tfds_adni.sources.dicom.records import (
    Scan,
    complete,
    identity_of,
    own_record,
)
from tfds_adni.sources.dicom.series import Series, join, read_headers
from tfds_adni.sources.images import ImageFile, split_copies
from tfds_adni.sources.record import ScanRecord, image_id_in, reject
from tfds_adni.sources.tree import Tree

_INSTALL = ' or run pip install "pet-dcgan[dicom]"'


@dataclasses.dataclass(frozen=True)
class Conversion:
    """The images of a folder after its DICOM is converted.

    Attributes:
        images: The images for the readers and those with a problem; of each
            scan of the IDA's in DICOM, one image.
        records: Of all other DICOM.
        scans: Those of `images`, by path.
        notes: What to know, a line each.
    """

    images: list[ImageFile]
    records: list[ScanRecord] = dataclasses.field(default_factory=list)
    scans: dict[Path, Scan] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def complete(self, records: Iterable[ScanRecord]) -> list[ScanRecord]:
        """Returns records of a reader, with what the headers add."""
        return [
            complete(record, self.scans[record.paths[0]])
            if record.paths[0] in self.scans
            else record
            for record in records
        ]


def convert_dicom(
    tree: Tree, images: Sequence[ImageFile], folder: Path | None = None
) -> Conversion:
    """Converts the DICOM series among the images of a folder.

    Without dcm2niix or pydicom, their images keep a problem that says so.

    Args:
        tree: The folder.
        images: Its images.
        folder: The cache; `None` for the default one.

    Raises:
        OSError: If the cache cannot be written to.
        ValueError: If it lies inside the folder.
    """
    files = [image.path for image in images if image.is_dicom]
    if not files:
        return Conversion(list(images))
    program = conversion.find_program()
    version = conversion.version_of(program) if program else ""
    if not version or not importlib.util.find_spec("pydicom"):
        return Conversion([_with_remedy(image) for image in images])
    folder = Path(folder or default_folder()).absolute()
    if folder.resolve().is_relative_to(tree.root.resolve()):
        raise ValueError(
            f"expected the cache of DICOM outside {tree.root}, found {folder}; "
            "choose another folder with --dicom-cache"
        )
    cache = DicomCache(folder)
    return _Converter(tree, cache, program, version).run(images, files)


def _with_remedy(image: ImageFile) -> ImageFile:
    """Adds to an image of DICOM how its conversion is installed."""
    if not image.is_dicom:
        return image
    return dataclasses.replace(image, problem=image.problem + _INSTALL)


class _Converter:
    """Converts series through a cache and makes records of them.

    Args:
        tree: The folder.
        cache: Keeps headers and volumes.
        program: dcm2niix.
        version: Its version.
    """

    def __init__(
        self, tree: Tree, cache: DicomCache, program: str, version: str
    ) -> None:
        self._tree = tree
        self._cache = cache
        self._program = program
        self._version = version
        self._records: list[ScanRecord] = []
        self._counts = {False: 0, True: 0}

    def run(
        self, images: Sequence[ImageFile], files: Sequence[Path]
    ) -> Conversion:
        """Converts the series of some files."""
        scans = [s for one in self._series(files) for s in self._scans(*one)]
        ours = [scan for scan in scans if not scan.image_id]
        theirs = {s.image.path: s for s in scans if s.image_id}
        others = [image for image in images if not image.is_dicom]
        return Conversion(
            images=others + [scan.image for scan in theirs.values()],
            records=[*self._records, *self._own_records(ours)],
            scans=theirs,
            notes=(self._note(), *notes_of(self._tree, scans)) if scans else (),
        )

    def _series(self, files: Iterable[Path]) -> list[tuple[str, list[Series]]]:
        """Returns image id and parts of each series, by folder."""
        folders = defaultdict(list)
        for path in files:
            folders[path.parent].append(path)
        parts = defaultdict(list)
        for folder, paths in folders.items():
            key = ["headers", conversion.RECIPE, *map(_fingerprint, paths)]
            facts = self._cache.entry(key, lambda _, p=paths: _headers(p))[1]
            self._reject_broken(folder, facts["broken"])
            for series in facts["series"]:
                one = Series(**series).moved(folder)
                key = self._image_id(one), identity_of(self._tree, one)
                parts[key].append(one)
        return [(image_id, found) for (image_id, _), found in parts.items()]

    def _reject_broken(self, folder: Path, broken: dict[str, str]) -> None:
        """Adds a record for each image id and reason of unreadable files."""
        groups = defaultdict(list)
        for name, reason in broken.items():
            image_id = image_id_in(self._tree.parts(folder / name))
            groups[image_id, reason].append(folder / name)
        for (_, reason), paths in groups.items():
            why = f"{conversion.FAILED}: {reason}"
            self._records.append(reject(self._tree, paths, why))

    def _image_id(self, series: Series) -> str:
        """Returns the image id of the IDA that all files agree on.

        Scanners number their files as `I10`, which is no id.
        """
        paths = list(map(Path, series.files))
        ids = {image_id_in(self._tree.parts(path)) for path in paths}
        numbered = re.fullmatch(r"I\d+", paths[0].stem)
        return "" if numbered or len(ids) > 1 else ids.pop()

    def _scans(self, image_id: str, parts: Sequence[Series]) -> list[Scan]:
        """Converts a series, and each further copy of it; else rejects it."""
        scans = []
        for series in _copies(parts):
            problem, volumes, sidecars = series.problem, (), ()
            if not problem:
                problem, volumes, sidecars = self._volumes(series)
            if problem:
                paths = map(Path, series.files)
                self._records.append(reject(self._tree, paths, problem))
            else:
                identity = identity_of(self._tree, series)
                scans.append(
                    Scan(series, identity, image_id, volumes, sidecars)
                )
        return scans

    def _volumes(self, series: Series) -> tuple[str, tuple, tuple]:
        """Returns why a series cannot be converted, or volumes and JSON."""
        prints = map(_fingerprint, map(Path, series.files))
        key = ["volumes", conversion.RECIPE, self._version, *prints]
        folder, facts, before = self._cache.entry(
            key, lambda new: conversion.convert(self._program, series, new)
        )
        if "problem" in facts:
            return facts["problem"], (), ()
        self._counts[before] += 1
        sidecars = tuple(facts["sidecars"])
        volumes = (folder / f"{n}.nii" for n in range(len(sidecars)))
        return "", tuple(volumes), sidecars

    def _own_records(self, scans: Iterable[Scan]) -> list[ScanRecord]:
        """Returns the records of scans that are not of the IDA."""
        groups = defaultdict(dict)
        for scan in scans:
            groups[scan.identity][scan.image.path] = scan
        records = []
        for copies in groups.values():
            images = [scan.image for scan in copies.values()]
            for rank, ((image,), copy) in enumerate(split_copies(images)):
                scan = copies[image.path]
                record = own_record(self._tree, scan)
                records.append(
                    dataclasses.replace(record, rank=rank, copy=copy)
                )
        return records

    def _note(self) -> str:
        """Says how many series were converted and where they are kept."""
        return (
            f"DICOM: {self._counts[False]} series converted and "
            f"{self._counts[True]} converted before, kept in "
            f"{self._cache.folder} (images of patients; it may be deleted)"
        )


def _headers(paths: Iterable[Path]) -> dict[str, Any]:
    """Returns the headers of a folder's files, as JSON takes them."""
    series, broken = read_headers(paths)
    return {"series": [vars(one) for one in series], "broken": broken}


def _fingerprint(path: Path) -> tuple:
    """Returns what changes when a file is replaced."""
    name = str(path.absolute())
    try:
        status = path.stat()
    except OSError:  # it cannot be read either
        return (name,)
    return (name, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _copies(parts: Sequence[Series]) -> list[Series]:
    """Joins the parts of a series; a part that repeats files is a copy."""
    wholes: list[list[Series]] = []
    for part in parts:
        own = set(part.files.values())
        home = next(
            (
                whole
                for whole in wholes
                if not any(own & set(p.files.values()) for p in whole)
            ),
            None,
        )
        if home is None:
            wholes.append([part])
        else:
            home.append(part)
    return [join(whole) for whole in wholes]
