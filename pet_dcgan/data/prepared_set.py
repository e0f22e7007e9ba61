"""Slices of a prepared data set, in a fixed order.

The code that prepared the set is not needed to read it.
"""

import functools
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from pet_dcgan.config import ALL_PLANES, ALL_STAGES, PLANES, STAGES, VOLUME
from pet_dcgan.data.absent_set import NAME, absent_set
from pet_dcgan.data.record_files import RecordFile
from pet_dcgan.data.records import keep_slices, read_facts, read_pixels
from pet_dcgan.data.set_files import (
    INFO,
    SCANS,
    SPLITS,
    FileFormatError,
    read_metadata,
    read_record_files,
    read_subjects,
    require_files,
)
from pet_dcgan.data.slices import NoSlicesError as NoSlicesError
from pet_dcgan.data.slices import SetMeta as SetMeta
from pet_dcgan.data.slices import Slices as Slices
from pet_dcgan.data.slices import no_slices
from pet_dcgan.references import require_recipe
from pet_dcgan.utils.foreign_text import fault, one_line

ALL_SPLITS = "all"
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}")


class PreparedSet:
    """A prepared set that `open_set` has opened.

    Each of its files is read when it is first needed, and only once.

    Args:
        folder: Folder of the set's version.
        dataset: Name of its configuration.

    Attributes:
        files: The files of records of each split.
        meta: Its metadata.
    """

    def __init__(self, folder: Path, dataset: str) -> None:
        require_recipe(
            int(folder.name.split(".")[0]),
            f"a data set in {folder}",
            remedy="prepare it again with pet-dcgan prepare",
        )
        try:
            require_files(folder)
            self.files = read_record_files(folder, NAME)
            metadata = read_metadata(folder)
        except FileFormatError:
            raise
        except (OSError, ValueError) as error:
            raise damaged(folder, error) from None
        self.folder = folder
        self.meta = SetMeta(dataset=dataset, version=folder.name, **metadata)
        self._facts: dict[str, dict[str, np.ndarray]] = {}

    @functools.cached_property
    def subjects(self) -> dict[tuple[str, str], set[str]]:
        """Subjects of used scans by split and stage, from `scans.csv`.

        Raises:
            ValueError: If the file is missing or damaged.
        """
        try:
            return read_subjects(self.folder)
        except (OSError, ValueError) as error:
            raise damaged(self.folder, error) from None

    def records(self, split: str) -> list[RecordFile]:
        """The files of records of a split, which the set may lack, or all."""
        if split == ALL_SPLITS:
            return [file for files in self.files.values() for file in files]
        return self.files.get(split, [])

    def facts(self, split: str) -> dict[str, np.ndarray]:
        """Everything but the pixels of each slice, as from `read_facts`.

        Args:
            split: Name of the split, which the set may lack, or `"all"`.

        Raises:
            ValueError: If the records are damaged, or hold a subject that
                `scans.csv` does not place in this split.
        """
        if split not in self._facts:
            try:
                facts = read_facts(
                    self.records(split), shape=self.meta.image_shape
                )
            except (OSError, ValueError) as error:
                raise damaged(self.folder, error) from None
            pairs = zip(facts["stage"], facts["subject"], strict=True)
            for stage, subject in sorted(set(pairs)):
                if not self._lists(split, stage, subject):
                    raise damaged(
                        self.folder,
                        f"{SCANS} has no {subject} in split {split}, of stage "
                        f"{stage}",
                    )
            self._facts[split] = facts
        return self._facts[split]

    def pixels(self, split: str, wanted: np.ndarray) -> Iterator[np.ndarray]:
        """The images of the wanted slices, in the order of `facts`.

        Args:
            split: As of `facts`.
            wanted: bool `[n]`.

        Yields:
            uint16 `[k, size, size]`, of volumes `[k, size, size, size]`.

        Raises:
            ValueError: If the records are damaged.
        """
        files, shape = self.records(split), self.meta.image_shape
        try:
            yield from read_pixels(files, wanted, shape=shape)
        except (OSError, ValueError) as error:
            raise damaged(self.folder, error) from None

    def _lists(self, split: str, stage: str, subject: str) -> bool:
        """Whether `scans.csv` has a subject in a split, or in any."""
        splits = SPLITS if split == ALL_SPLITS else (split,)
        return any(subject in self.subjects.get((s, stage), ()) for s in splits)


def damaged(folder: Path, error: object) -> ValueError:
    """The error for a set that cannot be read, with the reason in one line.

    Args:
        folder: Folder of the set.
        error: What was raised, or the reason as text.
    """
    reason = fault(error) if isinstance(error, Exception) else error
    if isinstance(error, OSError) and error.filename:
        reason = f"{reason}: {error.filename}"
    return ValueError(
        f"expected a whole data set in {folder}, found a damaged one "
        f"({one_line(reason, most=400)}): remove it and run pet-dcgan prepare "
        "again"
    )


def open_set(data_dir: str | Path, dataset: str) -> PreparedSet:
    """Opens the highest version of a prepared set.

    A process opens a set once, until it is prepared again.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Name of the configuration, such as `"axial_128"`.

    Raises:
        FileNotFoundError: If there is no such set.
        RecipeError: If it was made by another recipe.
        FileFormatError: If its records are no TFRecords.
        ValueError: If the set cannot be read or lacks its metadata.
    """
    folder = _latest_version(Path(data_dir), dataset)
    written = (folder / INFO).stat()
    return _opened(folder, dataset, written.st_mtime_ns, written.st_ino)


@functools.lru_cache(maxsize=2)
def _opened(folder: Path, dataset: str, *_: int) -> PreparedSet:
    """The set in a folder; the last values are of the time it was written."""
    return PreparedSet(folder, dataset)


def load_slices(
    data_dir: str | Path,
    dataset: str,
    *,
    split: str,
    stage: str,
    plane: str,
    subjects: Collection[str] | None = None,
    overflow: str | Path | None = None,
    decode: bool = True,
) -> Slices:
    """Reads the slices of one stage and plane, or of all of them.

    They come ordered by subject, scan, plane and position, whatever the order
    on disk.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"` or `"test"`, or `"all"` for all of
            them, where a caller makes splits of its own.
        stage: `"NC"`, `"MCI"`, `"AD"`, or `"ALL"` for all of them.
        plane: `"axial"`, `"coronal"`, `"sagittal"`, or `"ALL"` for all of
            them; `"volume"` of a set of volumes.
        subjects: Only slices of these; of all subjects if unset.
        overflow: Folder for a file of the slices where they do not fit in
            memory; without one they are read into memory.
        decode: Whether pixels are read; if not, the images are zeros that
            take no memory.

    Raises:
        FileNotFoundError: If there is no such set.
        OSError: If the disk of `overflow` is full.
        NoSlicesError: If no slice has them.
        ValueError: If split, stage or plane is unknown, or the set damaged.
    """
    _require_known(split=split, stage=stage, plane=plane)
    prepared = open_set(data_dir, dataset)
    facts, meta = prepared.facts(split), prepared.meta
    wanted = np.isin(facts["plane"], PLANES if plane == ALL_PLANES else plane)
    if stage != ALL_STAGES:
        wanted &= facts["stage"] == stage
    if subjects is not None:
        wanted &= np.isin(facts["subject"], list(subjects))
    if not wanted.any():
        raise no_slices(facts, dataset, split=split, stage=stage, plane=plane)
    facts = {name: values[wanted] for name, values in facts.items()}
    # the last one comes first
    keys = ("position_mm", "plane", "scan", "subject")
    order = np.lexsort([facts[key] for key in keys])
    images = np.broadcast_to(np.uint16(0), (len(order), *meta.image_shape))
    if decode:
        pixels = prepared.pixels(split, wanted)
        places = np.argsort(order)
        images = keep_slices(
            pixels, places, meta.image_shape, overflow=overflow
        )
    return Slices(
        images=images,
        subjects=facts["subject"][order],
        scans=facts["scan"][order],
        positions_mm=facts["position_mm"][order],
        stages=facts["stage"][order],
        planes=facts["plane"][order],
        ages=facts["age"][order],
        sexes=facts["sex"][order],
        meta=meta,
        stage=stage,
        plane=plane,
        data_dir=str(Path(data_dir).resolve()),
    )


def subjects_of(
    data_dir: str | Path, dataset: str, *, split: str, stage: str = ALL_STAGES
) -> set[str]:
    """Every subject of a split, of all planes, without reading a slice.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"`, `"test"`, or `"all"`.
        stage: Only subjects with a used scan of it; `"ALL"` for every one.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If split or stage is unknown, or the set is damaged.
    """
    _require_known(split=split, stage=stage)
    groups = open_set(data_dir, dataset).subjects.items()
    found = [
        members
        for at, members in groups
        if split in (at[0], ALL_SPLITS) and stage in (at[1], ALL_STAGES)
    ]
    return set().union(*found)


def _latest_version(data_dir: Path, dataset: str) -> Path:
    """The folder of the highest version of a set."""
    found = (data_dir / NAME / dataset).glob(f"*.*.*/{INFO}")
    versions = [p.parent for p in found if _VERSION.fullmatch(p.parent.name)]
    if versions:
        return max(versions, key=lambda p: [*map(int, p.name.split("."))])
    raise absent_set(data_dir, dataset)


def _require_known(**words: str) -> None:
    """Refuses an unknown split, stage or plane."""
    choices = {
        "split": (*SPLITS, ALL_SPLITS),
        "stage": (*STAGES, ALL_STAGES),
        "plane": (*PLANES, ALL_PLANES, VOLUME),
    }
    for name, word in words.items():
        if word not in choices[name]:
            raise ValueError(
                f"expected {name} among {', '.join(choices[name])}, found "
                f"{word!r}: choose one"
            )
