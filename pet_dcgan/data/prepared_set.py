"""Slices of a prepared data set, in a fixed order.

The code that prepared the set is not needed to read it.
"""

import collections
import dataclasses
import functools
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds
from google.protobuf import json_format

from pet_dcgan.config import ALL_STAGES, PLANES, STAGES
from pet_dcgan.data.records import (
    damaged,
    keep_slices,
    read_facts,
    read_pixels,
)
from pet_dcgan.references import require_recipe

NAME = "adni"
SPLITS = ("train", "validation", "test")
ALL_SPLITS = "all"
_SCALES = ("size", "spacing_mm", "suvr_max")
_METADATA = (*_SCALES, "normalisation", "phantom", "planes")
_SCANS = "scans.csv"


@dataclasses.dataclass(frozen=True)
class SetMeta:
    """Metadata of a prepared set.

    Args:
        size: Height and width of an image in pixels.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that a stored 65535 stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        phantom: True where every subject is a phantom.
        planes: The planes in it.
        dataset: Name of its configuration, such as `"axial_128"`.
        version: Its version, such as `"2.0.0"`.
    """

    size: int
    spacing_mm: float
    suvr_max: float
    reference: str
    phantom: bool
    planes: tuple[str, ...]
    dataset: str
    version: str


@dataclasses.dataclass(frozen=True)
class Slices:
    """The slices of one stage and plane in one split.

    Args:
        images: uint16 `[n, size, size]`; 65535 stands for `meta.suvr_max`.
            Those that did not fit in memory are an `np.memmap`.
        subjects: Subject id of each slice, text `[n]`.
        scans: Image id of the scan that each slice is of, text `[n]`.
        positions_mm: float32 `[n]`, from the centre of the brain.
        meta: Metadata of the set.
    """

    images: np.ndarray
    subjects: np.ndarray
    scans: np.ndarray
    positions_mm: np.ndarray
    meta: SetMeta


class PreparedSet:
    """A prepared set that `open_set` has opened.

    Each of its files is read when it is first needed, and only once.

    Args:
        folder: Folder of the set's version.
        dataset: Name of its configuration.
    """

    def __init__(self, folder: Path, dataset: str) -> None:
        require_recipe(
            int(folder.name.split(".")[0]),
            f"a data set in {folder}",
            remedy="prepare it again with pet-dcgan prepare",
        )
        # TFDS reports a damaged set as any of these
        try:
            self.builder = tfds.builder_from_directory(folder)
            # its items are read from disk only now; dict() would miss them
            metadata = dict((self.builder.info.metadata or {}).items())
        except (ValueError, OSError, KeyError, json_format.ParseError) as error:
            raise damaged(folder, error) from error
        missing = [name for name in _METADATA if name not in metadata]
        if missing:
            raise ValueError(
                f"expected {', '.join(missing)} in the metadata of {folder}, "
                "found none: prepare the set again with pet-dcgan prepare"
            )
        self.folder = folder
        self.meta = SetMeta(
            size=int(metadata["size"]),
            spacing_mm=float(metadata["spacing_mm"]),
            suvr_max=float(metadata["suvr_max"]),
            reference=metadata["normalisation"]["method"],
            phantom=bool(metadata["phantom"]),
            planes=tuple(metadata["planes"]),
            dataset=dataset,
            version=folder.name,
        )
        self._facts: dict[str, dict[str, np.ndarray]] = {}

    @functools.cached_property
    def subjects(self) -> dict[tuple[str, str], set[str]]:
        """Subjects of used scans by split and stage, from `scans.csv`.

        Raises:
            ValueError: If the file is missing or lacks a column.
        """
        columns = ["split", "stage", "subject", "used"]
        try:
            scans = pd.read_csv(
                self.folder / _SCANS, usecols=columns, dtype=str
            )
        except (OSError, ValueError) as error:
            raise damaged(self.folder, error) from error
        groups = scans[scans["used"] == "True"].groupby(["split", "stage"])
        return {group: set(rows) for group, rows in groups["subject"]}

    def facts(self, split: str) -> dict[str, np.ndarray]:
        """Everything but the pixels of each slice, as from `read_facts`.

        Args:
            split: Name of the split, which the set may lack, or `"all"`.

        Raises:
            ValueError: If the records are damaged, or hold a subject that
                `scans.csv` does not place in this split.
        """
        if split not in self._facts:
            facts = read_facts(self.builder, split)
            groups = self.subjects.items()
            listed = [s for at, s in groups if split in (at[0], ALL_SPLITS)]
            for subject in set(facts["subject"].tolist()).difference(*listed):
                raise damaged(
                    self.folder, f"{_SCANS} has no {subject} in split {split}"
                )
            self._facts[split] = facts
        return self._facts[split]


def open_set(data_dir: str | Path, dataset: str) -> PreparedSet:
    """Opens the highest version of a prepared set.

    A process opens a set once, until it is prepared again.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Name of the configuration, such as `"axial_128"`.

    Raises:
        FileNotFoundError: If there is no such set.
        RecipeError: If it was made by another recipe.
        ValueError: If the set cannot be read or lacks its metadata.
    """
    folder = _latest_version(Path(data_dir), dataset)
    written = (folder / "dataset_info.json").stat()
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
    """Reads the slices of one stage and plane.

    They come ordered by subject, scan and position, whatever the order on
    disk.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"` or `"test"`, or `"all"` for all of
            them, where a caller makes splits of its own.
        stage: `"NC"`, `"MCI"`, `"AD"`, or `"ALL"` for all of them.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        subjects: Only slices of these; of all subjects if unset.
        overflow: Folder for a file of the slices where they do not fit in
            memory; without one they are read into memory.
        decode: Whether pixels are read; if not, the images are zeros that
            take no memory.

    Raises:
        FileNotFoundError: If there is no such set.
        OSError: If the disk of `overflow` is full.
        ValueError: If split, stage or plane is unknown, or no slice has them.
    """
    _require_known(split=split, stage=stage, plane=plane)
    prepared = open_set(data_dir, dataset)
    facts, meta = prepared.facts(split), prepared.meta
    wanted = facts["plane"] == plane
    if stage != ALL_STAGES:
        wanted &= facts["stage"] == stage
    if subjects is not None:
        wanted &= np.isin(facts["subject"], list(subjects))
    if not wanted.any():
        raise ValueError(
            f"expected {plane} slices of stage {stage} in split {split} of "
            f"{dataset}, found {_counts(facts)}: choose another "
            "--stage or prepare more scans"
        )
    facts = {name: values[wanted] for name, values in facts.items()}
    keys = ("position_mm", "scan", "subject")  # the last one comes first
    order = np.lexsort([facts[key] for key in keys])
    images = np.broadcast_to(np.uint16(0), (len(order), meta.size, meta.size))
    if decode:
        pixels = read_pixels(prepared.builder, split, wanted, size=meta.size)
        places = np.argsort(order)
        images = keep_slices(pixels, places, meta.size, overflow=overflow)
    return Slices(
        images=images,
        subjects=facts["subject"][order],
        scans=facts["scan"][order],
        positions_mm=facts["position_mm"][order],
        meta=meta,
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
    versions = sorted(
        (data_dir / NAME / dataset).glob("*.*.*/dataset_info.json"),
        key=lambda path: tfds.core.Version(path.parent.name),
    )
    if versions:
        return versions[-1].parent
    others = sorted(
        {path.parts[-2] for path in data_dir.glob(f"{NAME}/*/*.*.*/")}
    )
    raise FileNotFoundError(
        f"expected a prepared set {NAME}/{dataset} in {data_dir}, found "
        f"{', '.join(others) if others else 'none'}: make it with pet-dcgan "
        f"prepare FOLDER --data-dir {data_dir} --config {dataset}"
    )


def _counts(facts: dict[str, np.ndarray]) -> str:
    """How many slices of each stage and plane there are, in words."""
    groups = zip(facts["stage"], facts["plane"], strict=True)
    counts = sorted(collections.Counter(groups).items())
    found = ", ".join(f"{n} {stage} {plane}" for (stage, plane), n in counts)
    return found or "no slice"


def _require_known(**words: str) -> None:
    """Refuses an unknown split, stage or plane."""
    choices = {
        "split": (*SPLITS, ALL_SPLITS),
        "stage": (*STAGES, ALL_STAGES),
        "plane": PLANES,
    }
    for name, word in words.items():
        if word not in choices[name]:
            raise ValueError(
                f"expected {name} among {', '.join(choices[name])}, found "
                f"{word!r}"
            )
