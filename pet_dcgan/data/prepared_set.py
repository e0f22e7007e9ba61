"""A prepared data set on disk to slices in their order.

The code that prepared the set is not needed to read it.
"""

import collections
import dataclasses
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from google.protobuf import json_format

from pet_dcgan.config import ALL_STAGES, PLANES, STAGES
from pet_dcgan.data.records import facts_of, pixels_of
from pet_dcgan.data.slice_store import kept_slices

NAME = "adni"
SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class SetMeta:
    """What a prepared set says about its images.

    Args:
        size: Height and width of an image in pixels.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that a stored 65535 stands for.
        phantom: True where every subject is a phantom.
        planes: The planes it holds.
        dataset: Name of its configuration, as `"axial_128"`.
        version: Its version, as `"1.0.0"`.
    """

    size: int
    spacing_mm: float
    suvr_max: float
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
        subjects: Text `[n]`.
        scans: Text `[n]`.
        positions_mm: float32 `[n]`, from the centre of the brain mask.
        meta: What the set says about its images.
    """

    images: np.ndarray
    subjects: np.ndarray
    scans: np.ndarray
    positions_mm: np.ndarray
    meta: SetMeta


def open_set(
    data_dir: str | Path, config: str
) -> tuple[tfds.core.DatasetBuilder, SetMeta]:
    """Opens a prepared set, the highest version of it.

    Args:
        data_dir: Folder that holds `adni/<config>/<version>`.
        config: Name of the configuration, as `"axial_128"`.

    Returns:
        TFDS's builder, and what the set says about itself.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If the set cannot be read or lacks its metadata.
    """
    folder = _version_folder(Path(data_dir), config)
    # tfds reports a damaged set as any of these
    try:
        builder = tfds.builder_from_directory(folder)
        # its items are read from disk only now; dict() alone would miss them
        metadata = dict((builder.info.metadata or {}).items())
    except (ValueError, OSError, KeyError, json_format.ParseError) as error:
        raise _damaged(folder, error) from error
    return builder, _read_meta(metadata, folder, config)


def load_slices(
    data_dir: str | Path,
    config: str,
    *,
    split: str,
    stage: str,
    plane: str,
    subjects: Collection[str] | None = None,
    overflow: str | Path | None = None,
) -> Slices:
    """Reads the slices of one stage and plane.

    They come ordered by subject, scan and position, whatever the order on
    disk.

    Args:
        data_dir: Folder that holds `adni/<config>/<version>`.
        config: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"` or `"test"`.
        stage: `"NC"`, `"MCI"`, `"AD"`, or `"ALL"` for all of them.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        subjects: Only theirs; everyone's if unset.
        overflow: Folder for a file of the slices where they do not fit in
            memory; without one they are read into memory.

    Raises:
        FileNotFoundError: If there is no such set.
        OSError: If the disk of `overflow` is full.
        ValueError: If split, stage or plane is unknown, or no slice has them.
    """
    _among("split", split, SPLITS)
    _among("stage", stage, (*STAGES, ALL_STAGES))
    _among("plane", plane, PLANES)
    builder, meta = open_set(data_dir, config)
    facts = _facts(builder, split)
    wanted = _is_of(builder, facts, stage) & _is_of(builder, facts, plane)
    if subjects is not None:
        wanted &= np.isin(facts["subject"], list(subjects))
    if not wanted.any():
        raise ValueError(
            f"expected {plane} slices of stage {stage} in split {split} of "
            f"{config}, found {_counts(builder, facts)}: choose another "
            "--stage or prepare more scans"
        )
    facts = {name: values[wanted] for name, values in facts.items()}
    keys = ("position_mm", "scan", "subject")  # the last one comes first
    order = np.lexsort([facts[key] for key in keys])
    images = kept_slices(
        _pixels(builder, split, wanted, meta.size),
        np.argsort(order),
        meta.size,
        overflow=overflow,
    )
    return Slices(
        images=images,
        subjects=facts["subject"][order],
        scans=facts["scan"][order],
        positions_mm=facts["position_mm"][order],
        meta=meta,
    )


def subjects_of(
    data_dir: str | Path, config: str, *, split: str, stage: str = ALL_STAGES
) -> set[str]:
    """Every subject of a split, of all planes.

    Args:
        data_dir: Folder that holds `adni/<config>/<version>`.
        config: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"` or `"test"`.
        stage: Only subjects with a slice of it; `"ALL"` for every one.
    """
    _among("split", split, SPLITS)
    _among("stage", stage, (*STAGES, ALL_STAGES))
    builder, _ = open_set(data_dir, config)
    facts = _facts(builder, split)
    return set(facts["subject"][_is_of(builder, facts, stage)].tolist())


def _version_folder(data_dir: Path, config: str) -> Path:
    versions = sorted(
        (data_dir / NAME / config).glob("*.*.*/dataset_info.json"),
        key=lambda path: tfds.core.Version(path.parent.name),
    )
    if versions:
        return versions[-1].parent
    others = sorted(
        {path.parts[-2] for path in data_dir.glob(f"{NAME}/*/*.*.*/")}
    )
    raise FileNotFoundError(
        f"expected a prepared set {NAME}/{config} in {data_dir}, found "
        f"{', '.join(others) if others else 'none'}: make it with pet-dcgan "
        f"prepare FOLDER --data-dir {data_dir} --config {config}"
    )


def _read_meta(metadata: dict[str, Any], folder: Path, config: str) -> SetMeta:
    fields = [f.name for f in dataclasses.fields(SetMeta)][:5]
    missing = [name for name in fields if name not in metadata]
    if missing:
        raise ValueError(
            f"expected {', '.join(missing)} in the metadata of {folder}, "
            "found none: prepare the set again with pet-dcgan prepare"
        )
    return SetMeta(
        size=int(metadata["size"]),
        spacing_mm=float(metadata["spacing_mm"]),
        suvr_max=float(metadata["suvr_max"]),
        phantom=bool(metadata["phantom"]),
        planes=tuple(metadata["planes"]),
        dataset=config,
        version=folder.name,
    )


def _facts(
    builder: tfds.core.DatasetBuilder, split: str
) -> dict[str, np.ndarray]:
    try:
        return facts_of(builder, split)
    except tf.errors.OpError as error:
        raise _damaged(builder.data_dir, error) from error


def _pixels(
    builder: tfds.core.DatasetBuilder,
    split: str,
    wanted: np.ndarray,
    size: int,
) -> Iterator[np.ndarray]:
    try:
        yield from pixels_of(builder, split, wanted, size=size)
    except (tf.errors.OpError, ValueError) as error:
        raise _damaged(builder.data_dir, error) from error


def _is_of(
    builder: tfds.core.DatasetBuilder, facts: dict[str, np.ndarray], word: str
) -> np.ndarray:
    """Which slices are of a plane or a stage; of `"ALL"` are all of them."""
    features = builder.info.features
    if word in PLANES:
        return facts["plane"] == features["plane"].str2int(word)
    stages = STAGES if word == ALL_STAGES else (word,)
    labels = [features["label"].str2int(stage) for stage in stages]
    return np.isin(facts["label"], labels)


def _counts(
    builder: tfds.core.DatasetBuilder, facts: dict[str, np.ndarray]
) -> str:
    stages = builder.info.features["label"].names
    planes = builder.info.features["plane"].names
    counts = collections.Counter(
        f"{stages[label]} {planes[plane]}"
        for label, plane in zip(facts["label"], facts["plane"], strict=True)
    )
    found = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    return found or "no slice"


def _among(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(
            f"expected {name} among {', '.join(choices)}, found {value!r}"
        )


def _damaged(folder: str | os.PathLike, error: Exception) -> ValueError:
    # TensorFlow puts the name of the graph's node first
    reason = re.sub(r"\{\{.*?\}\}", "", str(error)).strip()
    reason = reason.partition("\n")[0][:120]
    return ValueError(
        f"expected a whole data set in {folder}, found a damaged one "
        f"({reason}): remove it and run pet-dcgan prepare again"
    )
