"""One scan to its examples, without TensorFlow.

A `Task` is what a worker process or another machine is given for one scan.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tfds_adni.cohort.account import printable
from tfds_adni.cohort.decision import ScanDecision
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.errors import VolumeError
from tfds_adni.volumes.normalisation import Normalisation, scale_found
from tfds_adni.volumes.png import encode_png
from tfds_adni.volumes.slices import Slice, cut_slices, resample
from tfds_adni.volumes.volume import load_volume

FULL_SCALE = 65535


@dataclasses.dataclass(frozen=True, kw_only=True)
class SliceSpec:
    """How slices are cut and stored; see `AdniConfig`."""

    planes: tuple[str, ...]
    size: int
    spacing_mm: float
    bands_mm: Mapping[str, tuple[float, float]]
    suvr_max: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One scan to be cut.

    Attributes:
        verdict: The scan and its stage.
        cutting: How it is cut.
        method: One of `normalisation.METHODS`.
        mask: The mask file where the method needs one.
        problem: Why it cannot be cut, known before it is read.
    """

    verdict: ScanDecision
    cutting: SliceSpec
    method: str = "brain"
    mask: Path | None = None
    problem: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a scan.

    Attributes:
        image_id: Whose.
        reason: Why it gives no example, `""` where it does.
        frames: How many frames were averaged.
        oriented: Whether its file says where left and right are.
        repaired: Voxels inside the brain that were NaN or Inf.
        pixels: Pixels of its slices.
        clipped: Pixels above the largest SUVR that can be stored.
        subjects: Whom its examples name.
    """

    image_id: str
    reason: str = ""
    frames: int = 0
    oriented: bool = True
    repaired: int = 0
    pixels: int = 0
    clipped: int = 0
    subjects: tuple[str, ...] = ()


Examples = list[tuple[str, dict]]


def make_examples(task: Task) -> tuple[Outcome, Examples]:
    """Reads a scan and cuts its examples.

    Args:
        task: The scan and how it is cut.

    Returns:
        What became of it, and a key and an example for each slice; the image
        of an example is a PNG file. Without a slice where the scan cannot be
        used (a `VolumeError`, whose text is the reason).
    """
    image_id = task.verdict.record.image_id
    try:
        if task.problem:
            raise VolumeError(task.problem)
        return _cut(task)
    except VolumeError as error:
        return Outcome(image_id=image_id, reason=str(error)), []
    except MemoryError:
        reason = "too large for the memory of this machine"
        return Outcome(image_id=image_id, reason=reason), []


def _cut(task: Task) -> tuple[Outcome, Examples]:
    """Cuts a scan that is sound as far as is known."""
    cutting, image_id = task.cutting, task.verdict.record.image_id
    volume = load_volume(task.verdict.record.paths)
    found = find_brain(volume)
    brain = scale_found(volume, found, method=task.method, mask=task.mask)
    brain = resample(brain, cutting.spacing_mm)
    examples, pixels, clipped = [], 0, 0
    for plane in cutting.planes:
        for piece in cut_slices(
            brain, plane, size=cutting.size, band_mm=cutting.bands_mm[plane]
        ):
            pixels += piece.image.size
            clipped += int(np.count_nonzero(piece.image > cutting.suvr_max))
            key = f"{printable(image_id)}-{plane}-{piece.index}"
            examples.append((key, _example(task, plane, piece)))
    outcome = Outcome(
        image_id=image_id,
        frames=volume.frames,
        oriented=volume.affine is not None,
        repaired=found.repaired,
        pixels=pixels,
        clipped=clipped,
        subjects=tuple(sorted({e["subject"] for _, e in examples})),
    )
    return outcome, examples


def _example(task: Task, plane: str, piece: Slice) -> dict:
    """Words one example; SUVR becomes uint16 on a constant scale."""
    record = task.verdict.record
    stored = np.rint(
        np.clip(piece.image / task.cutting.suvr_max, 0, 1)
        * np.float32(FULL_SCALE)
    )
    return {
        "image": encode_png(stored.astype(np.uint16)),
        "label": task.verdict.stage,
        "plane": plane,
        "slice": piece.index,
        "position_mm": piece.position_mm,
        "subject": record.subject,
        "scan": printable(record.image_id),
        "visit": printable(record.visit),
        "date": record.date,
        "age": record.age,
        "sex": record.sex,
    }


def tasks_of(
    verdicts: Iterable[ScanDecision],
    cutting: SliceSpec,
    normalisation: Normalisation,
) -> Iterator[Task]:
    """Yields the task of each scan: all that is needed to cut it.

    Args:
        verdicts: The scans used.
        cutting: How all are cut.
        normalisation: What they are divided by; masks are looked up here.

    Yields:
        A task for each scan, with a problem where its mask is not there.

    Raises:
        FileNotFoundError: If there are no masks at all where some are needed.
    """
    masks = normalisation.masks_by_scan()
    for verdict in verdicts:
        mask, problem = None, ""
        if masks:
            try:
                mask = masks.of(verdict.record)
            except VolumeError as error:
                problem = str(error)
        yield Task(
            verdict=verdict,
            cutting=cutting,
            method=normalisation.method,
            mask=mask,
            problem=problem,
        )
