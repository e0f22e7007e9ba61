"""Synthetic slices from an exported model, each traceable to its seed."""

import contextlib
import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.serving.image_files import (
    COLUMNS,
    FORMATS,
    ImageRequest,
    Model,
    suvr_of_png,
)
from pet_dcgan.serving.model_info import ExportedModel
from pet_dcgan.serving.rest_model import RemoteModel, is_url
from pet_dcgan.serving.resumable_batch import ResumableBatch, resumable_batch
from pet_dcgan.utils.seed_blocks import STEPS_TOLERANCE, prefetch_map

Progress = Callable[[int, int], None]


def generate(
    model: str | Path,
    *,
    count: int,
    seed: int = 0,
    out: str | Path,
    format: str = "png",  # noqa: A002
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> Path:
    """Writes `count` synthetic slices and a table of their provenance.

    Image `i` is that of seed `seed + i`, whatever the other images are. Its
    bytes from a folder are those from a server that runs the same TensorFlow
    with as many threads on a processor of the same kind and does not batch
    requests: every image is the model's 16-bit PNG, and a seed is computed in
    the same place of the same block of `max_rows` seeds (`utils.seed_blocks`),
    so one image costs as much as a block. The SUVR scale is kept: PNG value /
    65535 * `suvr_max`; NPY and NIfTI hold the same in SUVR.

    The folder appears once it is complete. A batch that was stopped is kept
    beside it, and the same call resumes it.

    Args:
        model: Folder of an exported version, or its parent, of which the
            highest version is taken; or the URL of either on a server, as
            `http://host:8501/v1/models/ad`.
        count: Number of slices, at least 1.
        seed: First seed, 0 or more.
        out: Folder to make; it may exist if it is empty.
        format: `"png"` (16 bits), `"npy"` or `"nifti"` (`.nii.gz`).
        timeout: Seconds that a server may take to answer; a few further
            attempts are made.
        progress: Called with the slices done and `count` after each request.

    Returns:
        Path of `images.csv`: file, stage, seed, model_version, suvr_max,
        spacing_mm, plane, phantom.

    Raises:
        ConnectionError: If a server gives no answer.
        FileExistsError: If `out` is not empty, or another request was begun.
        FileNotFoundError: If there is no exported model.
        ValueError: If an option is out of range, the model is damaged, or a
            server has no such model.
    """
    out = Path(os.path.abspath(out))
    _check_options(count, seed, format)
    _check_free(out)
    with (
        contextlib.closing(_open(model, timeout)) as source,
        resumable_batch(out) as batch,
    ):
        _check_free(out)
        request = ImageRequest(source, range(seed, seed + count), format)
        missing = _missing(request, batch)
        _draw(request, batch, missing, progress or (lambda *_: None))
        table = batch.images / "images.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([COLUMNS, *request.rows()])
        batch.finish()
    return out / "images.csv"


def _open(model: str | Path, timeout: float) -> Model:
    """Returns what draws, from a folder or a server."""
    if is_url(model):
        return RemoteModel.open(str(model), timeout=timeout)
    return ExportedModel.open(model).load()


def _missing(request: ImageRequest, batch: ResumableBatch) -> list[int]:
    """Returns the seeds to be drawn, given what was begun."""
    remedy = (
        f"repeat that request, remove {batch.folder} or choose another --out"
    )
    if begun := batch.differences(request.identity()):
        raise FileExistsError(
            f"images for {batch.out} were begun with another request "
            f"({', '.join(begun)}): {remedy}"
        )
    names = {request.file_name(seed): seed for seed in request.seeds}
    kept = batch.keep(names)
    if kept:
        (first,) = request.draw(request.seeds[:1])
        if not _same(first, batch.probe):
            raise FileExistsError(
                f"images for {batch.out} were begun, but version "
                f"{request.model.version} of {request.facts.name} draws "
                f"others now: {remedy}"
            )
    return [seed for seed in request.seeds if seed not in kept]


def _same(image: bytes, before: bytes) -> bool:
    """Whether two PNGs are one image, up to differences of kernels."""
    found, expected = (suvr_of_png(png, 65535.0) for png in (image, before))
    return (
        found.shape == expected.shape
        and np.abs(found - expected).max(initial=0.0) < STEPS_TOLERANCE + 0.5
    )


def _draw(
    request: ImageRequest,
    batch: ResumableBatch,
    missing: Sequence[int],
    progress: Progress,
) -> None:
    """Writes the missing images, while the next ones are being drawn."""
    done = len(request.seeds) - len(missing)
    drawn = prefetch_map(
        request.draw,
        request.blocks(missing),
        awaited=request.model.awaited,
        at_once=request.model.at_once,
    )
    with contextlib.closing(drawn):
        for seeds, images in drawn:
            if batch.probe is None:
                batch.begin(request.identity(), images[0])
            batch.add(
                {
                    request.file_name(seed): request.file_content(seed, image)
                    for seed, image in zip(seeds, images, strict=True)
                }
            )
            done += len(seeds)
            progress(done, len(request.seeds))


def _check_options(count: Any, seed: Any, chosen: str) -> None:
    """Refuses an unknown format, and numbers out of range."""
    if chosen not in FORMATS:
        raise ValueError(
            f"expected a format among {', '.join(FORMATS)}, found {chosen!r}"
        )
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        whole = isinstance(value, int | np.integer)
        if not whole or isinstance(value, bool) or value < least:
            raise ValueError(
                f"expected {name} as a whole number of {least} or more, "
                f"found {value!r}"
            )
    if seed + count > 2**63:
        raise ValueError(
            f"expected seeds below 2^63, found {count} from {seed} on: give "
            "a smaller seed"
        )


def _check_free(out: Path) -> None:
    """Refuses a folder that holds files or cannot be replaced."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty: choose another --out")
    if os.path.ismount(out):
        raise FileExistsError(
            f"{out} is a mount point, which cannot be replaced: choose a "
            f"folder inside it, as --out {out / 'images'}"
        )
