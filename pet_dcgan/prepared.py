"""A prepared data set on disk to slices in memory.

The set is read with TensorFlow Datasets alone; the code that prepared it is
not needed.
"""

import collections
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from google.protobuf import json_format

from pet_dcgan.config import PLANES, STAGES

NAME = "adni"
SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class SetMeta:
    """What a prepared set says about its images.

    Args:
        size: Height and width of an image in pixels.
        spacing_mm: Millimetres a pixel.
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
    data_dir: str | Path, config: str, *, split: str, stage: str, plane: str
) -> Slices:
    """Reads the slices of one stage and plane into memory.

    They come ordered by subject, scan and position, whatever the order on
    disk.

    Args:
        data_dir: Folder that holds `adni/<config>/<version>`.
        config: Name of the configuration, as `"axial_128"`.
        split: `"train"`, `"validation"` or `"test"`.
        stage: `"NC"`, `"MCI"` or `"AD"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If split, stage or plane is unknown, or no slice has them.
    """
    _among("split", split, SPLITS)
    _among("stage", stage, STAGES)
    _among("plane", plane, PLANES)
    builder, meta = open_set(data_dir, config)
    features = builder.info.features
    wanted = (
        features["label"].str2int(stage),
        features["plane"].str2int(plane),
    )
    examples = list(_examples(builder, split, image_of=wanted))
    if not examples:
        found = _counts(builder, split)
        raise ValueError(
            f"expected {plane} slices of stage {stage} in split {split} of "
            f"{config}, found {found}: choose another --stage or prepare "
            "more scans"
        )
    examples.sort(key=lambda e: (e["subject"], e["scan"], e["position_mm"]))
    return Slices(
        images=np.stack([e["image"][..., 0] for e in examples]),
        subjects=np.array([e["subject"].decode() for e in examples]),
        scans=np.array([e["scan"].decode() for e in examples]),
        positions_mm=np.array([e["position_mm"] for e in examples], np.float32),
        meta=meta,
    )


def subjects_of(data_dir: str | Path, config: str, *, split: str) -> set[str]:
    """Every subject of a split, of all stages and planes."""
    _among("split", split, SPLITS)
    builder, _ = open_set(data_dir, config)
    return {e["subject"].decode() for e in _examples(builder, split)}


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


def _examples(
    builder: tfds.core.DatasetBuilder,
    split: str,
    image_of: tuple[int, int] | None = None,
) -> Iterator[dict[str, Any]]:
    """Examples as numpy; images are decoded for one (label, plane) only."""
    if split not in builder.info.splits:
        return
    examples = builder.as_dataset(
        split=split,
        decoders={"image": tfds.decode.SkipDecoding()},
        shuffle_files=False,
    )
    if image_of:
        examples = examples.filter(
            lambda e: (e["label"] == image_of[0]) & (e["plane"] == image_of[1])
        )
        examples = examples.map(_decode, tf.data.AUTOTUNE)
    try:
        yield from examples.as_numpy_iterator()
    except tf.errors.OpError as error:
        raise _damaged(builder.data_dir, error) from error


@tf.autograph.experimental.do_not_convert
def _decode(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    image = tf.io.decode_png(example["image"], channels=1, dtype=tf.uint16)
    return example | {"image": image}


def _counts(builder: tfds.core.DatasetBuilder, split: str) -> str:
    stages = builder.info.features["label"].names
    planes = builder.info.features["plane"].names
    counts = collections.Counter(
        f"{stages[e['label']]} {planes[e['plane']]}"
        for e in _examples(builder, split)
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
