"""A prepared data set on disk to slices in their order.

The set is read with TensorFlow Datasets alone; the code that prepared it is
not needed.
"""

import collections
import dataclasses
import itertools
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
from pet_dcgan.decoded import kept_slices

NAME = "adni"
SPLITS = ("train", "validation", "test")
_CHUNK = 256


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
    features = builder.info.features
    stages = STAGES if stage == ALL_STAGES else (stage,)
    wanted = (
        [features["label"].str2int(stage) for stage in stages],
        features["plane"].str2int(plane),
    )
    examples = list(_examples(builder, split, wanted))
    chosen = [
        subjects is None or e["subject"].decode() in subjects for e in examples
    ]
    examples = list(itertools.compress(examples, chosen))
    if not examples:
        found = _counts(builder, split)
        raise ValueError(
            f"expected {plane} slices of stage {stage} in split {split} of "
            f"{config}, found {found}: choose another --stage or prepare "
            "more scans"
        )
    order = sorted(range(len(examples)), key=lambda i: _sort_key(examples[i]))
    pixels = _examples(builder, split, wanted, images=True)
    images = kept_slices(
        (e["image"] for e in itertools.compress(pixels, chosen)),
        np.argsort(order),
        meta.size,
        overflow=overflow,
    )
    examples = [examples[index] for index in order]
    return Slices(
        images=images,
        subjects=np.array([e["subject"].decode() for e in examples]),
        scans=np.array([e["scan"].decode() for e in examples]),
        positions_mm=np.array([e["position_mm"] for e in examples], np.float32),
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
    names = builder.info.features["label"].names
    return {
        e["subject"].decode()
        for e in _examples(builder, split)
        if stage in (ALL_STAGES, names[e["label"]])
    }


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


def _sort_key(example: dict[str, Any]) -> tuple:
    return example["subject"], example["scan"], example["position_mm"]


def _examples(
    builder: tfds.core.DatasetBuilder,
    split: str,
    wanted: tuple[list[int], int] | None = None,
    *,
    images: bool = False,
) -> Iterator[dict[str, Any]]:
    """Examples as numpy, always in one order, all or of (labels, plane)."""
    if split not in builder.info.splits:
        return
    examples = builder.as_dataset(
        split=split,
        decoders={"image": tfds.decode.SkipDecoding()},
        shuffle_files=False,
    )
    if wanted:
        labels, plane = wanted
        examples = examples.filter(
            lambda e: (
                tf.reduce_any(e["label"] == labels) & (e["plane"] == plane)
            )
        )
    examples = examples.map(_decode if images else _omit, tf.data.AUTOTUNE)
    # many at a time, as each handing over costs more than a decoding
    chunks = examples.batch(_CHUNK).prefetch(1)
    try:
        for chunk in chunks.as_numpy_iterator():
            for values in zip(*chunk.values(), strict=True):
                yield dict(zip(chunk, values, strict=True))
    except tf.errors.OpError as error:
        raise _damaged(builder.data_dir, error) from error


@tf.autograph.experimental.do_not_convert
def _decode(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    image = tf.io.decode_png(example["image"], channels=1, dtype=tf.uint16)
    return {"image": image[..., 0]}


@tf.autograph.experimental.do_not_convert
def _omit(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {name: v for name, v in example.items() if name != "image"}


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
