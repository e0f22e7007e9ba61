"""One scan to its examples, without TensorFlow.

A `Task` is all that a worker process, or a machine of Apache Beam, needs to
know of one scan.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.printable import printable
from tfds_adni.volumes.affine_registration import Registered, register
from tfds_adni.volumes.brain import BrainLocation, find_brain
from tfds_adni.volumes.cube import (
    around_centre,
    cut_cube,
    in_template,
    locate_in_cube,
    pack_volume,
)
from tfds_adni.volumes.normalisation import Brain, scale_to_suvr
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.sheet import (
    Sheet,
    centre_mm,
    draw_refused,
    draw_sheet,
)
from tfds_adni.volumes.slices import (
    VOLUME,
    Slice,
    cut_slices,
    encode_png,
    resample,
)
from tfds_adni.volumes.templates import NATIVE, require_in_space
from tfds_adni.volumes.volume import Volume, VolumeError, load_volume

FULL_SCALE = 65535
# Coefficient of variation from voxel to voxel above which slices count as
# noisy: ADNI's processed scans, smoothed to 8 mm, have 1 to 4 %.
NOISY = 0.1
# Pixels beyond the stored range that are worth a flag; on ADNI's grid single
# ones are common.
_MANY_CLIPPED = 0.005


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
        decision: The scan and its stage.
        spec: How it is cut.
        method: One of `normalisation.METHODS`.
        mask: The mask file where the method needs one.
        problem: Why it cannot be cut, where that is known beforehand.
        reading: How its files are read.
        space: The template's space that it is cut in, or `"native"`.
        register: Whether it is registered to that template first.
    """

    decision: ScanDecision
    spec: SliceSpec
    method: str = "brain"
    mask: Path | None = None
    problem: str = ""
    reading: Reading = dataclasses.field(default_factory=Reading)
    space: str = NATIVE
    register: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of cutting a scan, without its examples.

    Attributes:
        image_id: Of the scan.
        reason: Why it has no example, `""` where it has.
        frames: How many frames were averaged.
        repaired: Voxels inside the brain that were NaN or Inf.
        noise: Coefficient of variation from voxel to voxel in the brain.
        hot: Voxels left out of its mean for being far too bright or dark.
        slices: Number of its examples.
        pixels: Pixels of its slices.
        clipped: Pixels above the largest SUVR that can be stored.
        subjects: The subjects named in its examples.
        flags: What to know of it, in a few words each.
        similarity: Its correlation with the template that it was registered
            to, 0 where it was not.
        sheet: What the page shows of it; `None` where it could not be read.
    """

    image_id: str
    reason: str = ""
    frames: int = 0
    repaired: int = 0
    noise: float = 0.0
    hot: int = 0
    slices: int = 0
    pixels: int = 0
    clipped: int = 0
    subjects: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    similarity: float = 0.0
    sheet: Sheet | None = None

    @classmethod
    def from_json(cls, row: dict) -> "Outcome":
        """Rebuilds one from `dataclasses.asdict` that went through JSON."""
        row = _with_tuples(row)
        if row["sheet"] is not None:
            row["sheet"] = Sheet(**_with_tuples(row["sheet"]))
        return cls(**row)


Examples = list[tuple[str, dict]]


def make_examples(task: Task) -> tuple[Outcome, Examples]:
    """Reads a scan and cuts its examples.

    Args:
        task: The scan and how it is cut.

    Returns:
        The outcome, and a key and an example for each slice, or for the
        volume; its image is an encoded PNG, or a packed volume. A scan that
        cannot be used (`VolumeError`, `MemoryError`) has no examples, and its
        outcome gives the reason.
    """
    record, sheet = task.decision.record, None
    try:
        if task.problem:
            raise VolumeError(task.problem)
        volume = load_volume(
            record.images, reading=task.reading, timing=record.timing
        )
        try:
            return _cut(task, volume)
        except VolumeError:
            sheet = draw_refused(volume)
            raise
    except VolumeError as error:
        reason = str(error)
    except MemoryError:
        reason = "too large for the memory of this machine"
    return Outcome(image_id=record.image_id, reason=reason, sheet=sheet), []


def _cut(task: Task, volume: Volume) -> tuple[Outcome, Examples]:
    """Cuts the slices of a scan, or its volume.

    Raises:
        VolumeError: If it cannot be used.
    """
    spec, record = task.spec, task.decision.record
    found = find_brain(volume)
    scaled = scale_to_suvr(volume, found, method=task.method, mask=task.mask)
    whole, fit = spec.planes == (VOLUME,), None
    if task.register:
        fit = register(scaled)
    if whole or fit:
        brain, shown = _cube(task, volume, found, scaled, fit)
        seen = Volume(data=brain.suvr, spacing=brain.spacing)
    else:
        brain, shown = resample(scaled, spec.spacing_mm), found
        seen = volume
    pieces = _whole(task, brain) if whole else _slices(task, brain)
    examples, pixels, clipped = [], 0, 0
    for key, suvr, example in pieces:
        pixels += suvr.size
        clipped += int(np.count_nonzero(suvr > spec.suvr_max))
        examples.append((f"{printable(record.image_id)}{key}", example))
    sheet = draw_sheet(seen, shown, brain, scale=scaled.divisor)
    outcome = Outcome(
        image_id=record.image_id,
        frames=volume.frames,
        repaired=found.repaired,
        noise=float(found.noise),
        hot=int(found.hot),
        slices=len(examples),
        pixels=pixels,
        clipped=clipped,
        subjects=tuple(sorted({e["subject"] for _, e in examples})),
        similarity=fit.similarity if fit else 0.0,
        sheet=dataclasses.replace(
            sheet, centre_mm=centre_mm(volume, found.centre)
        ),
    )
    flags = _flags(task, volume, outcome)
    return dataclasses.replace(outcome, flags=flags), examples


def _cube(
    task: Task,
    volume: Volume,
    found: BrainLocation,
    scaled: Brain,
    fit: Registered | None,
) -> tuple[Brain, BrainLocation]:
    """Cuts a cube, and finds the mask on it."""
    grid = {"size": task.spec.size, "spacing_mm": task.spec.spacing_mm}
    if fit:
        matrix = in_template(fit.affine, **grid)
    elif task.space == NATIVE:
        matrix = around_centre(scaled, **grid)
    else:
        affine = require_in_space(volume.affine, found.centre, task.space)
        matrix = in_template(affine, **grid)
    cube = cut_cube(scaled, matrix, **grid)
    return cube, locate_in_cube(found, cube, matrix)


def _whole(task: Task, brain: Brain) -> Iterator[tuple[str, np.ndarray, dict]]:
    """Yields end of the key, SUVR and example of a volume."""
    packed = pack_volume(_stored(brain.suvr, task.spec))
    yield "", brain.suvr, {"image": packed} | _facts(task)


def _slices(task: Task, brain: Brain) -> Iterator[tuple[str, np.ndarray, dict]]:
    """Yields end of the key, SUVR and example of each slice."""
    spec = task.spec
    for plane in spec.planes:
        band = spec.bands_mm[plane]
        for piece in cut_slices(brain, plane, size=spec.size, band_mm=band):
            example = _example(task, plane, piece)
            yield f"-{plane}-{piece.index}", piece.image, example


def _flags(task: Task, volume: Volume, outcome: Outcome) -> tuple[str, ...]:
    """Returns what to know of a scan that is used."""
    clipped = outcome.clipped / max(outcome.pixels, 1)
    kind = "voxels" if task.spec.planes == (VOLUME,) else "pixels"
    flags = {
        f"{outcome.frames} frames averaged": outcome.frames > 1,
        **{flag.replace("_", " "): True for flag in sorted(volume.flags)},
        f"repaired voxels: {outcome.repaired}": outcome.repaired,
        f"noise of {100 * outcome.noise:.0f} %": outcome.noise > NOISY,
        f"voxels far too bright or too dark: {outcome.hot}": outcome.hot,
        f"{100 * clipped:.1f} % of its {kind} above SUVR "
        f"{task.spec.suvr_max:g}": clipped >= _MANY_CLIPPED,
        task.decision.record.remark: task.decision.record.remark,
    }
    return tuple(printable(words) for words, holds in flags.items() if holds)


def _with_tuples(row: dict) -> dict:
    """Makes tuples of the lists that JSON makes of them."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}


def _example(task: Task, plane: str, piece: Slice) -> dict:
    """Returns one example; SUVR becomes uint16 on a constant scale."""
    return {
        "image": encode_png(_stored(piece.image, task.spec)),
        "plane": plane,
        "slice": piece.index,
        "position_mm": piece.position_mm,
    } | _facts(task)


def _stored(suvr: np.ndarray, spec: SliceSpec) -> np.ndarray:
    """SUVR as uint16 on a constant scale."""
    scaled = np.clip(suvr / spec.suvr_max, 0, 1) * np.float32(FULL_SCALE)
    return np.rint(scaled).astype(np.uint16)


def _facts(task: Task) -> dict:
    """What is known of a scan."""
    record = task.decision.record
    return {
        "label": task.decision.stage,
        "subject": record.subject,
        "scan": printable(record.image_id),
        "visit": printable(record.visit),
        "date": record.date,
        "age": record.age,
        "sex": record.sex,
    }
