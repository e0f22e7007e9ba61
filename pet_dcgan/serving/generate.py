"""Synthetic slices from an exported model, each traceable to its seed."""

import contextlib
import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pet_dcgan.serving import image_files
from pet_dcgan.serving.image_request import (
    COLUMNS,
    FORMATS,
    ImageRequest,
    Model,
)
from pet_dcgan.serving.rest_model import RemoteModel, is_url
from pet_dcgan.serving.resumable_batch import ResumableBatch, resumable_batch
from pet_dcgan.utils.prefetch import prefetch_map
from pet_dcgan.utils.seed_blocks import STEPS_TOLERANCE

TIMEOUT = 60.0
Progress = Callable[[int, int], None]


def generate(
    model: str | Path,
    *,
    count: int,
    seed: int = 0,
    out: str | Path,
    format: str = "png",  # noqa: A002
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> Path:
    """Writes `count` synthetic slices and a table of where they come from.

    Image `i` is that of seed `seed + i`, whatever the other images are, and
    of the same bytes from a folder as from a server that runs the same
    TensorFlow with as many threads on a processor of the same kind and does
    not batch requests: every image is the model's 16-bit PNG, and a seed is
    computed in the same place of the same block of `max_rows` seeds each
    time (`utils.seed_blocks`). One image therefore costs as much as a block.
    The SUVR scale is kept: PNG value / 65535 * `suvr_max`; NPY and NIfTI hold
    the same in SUVR.

    The folder appears once it is complete. What stops before is kept beside
    it, and the same call goes on with it.

    Args:
        model: Folder of an exported version, or its parent, of which the
            highest version is taken; or the URL of either on a server, as
            `http://host:8501/v1/models/ad`.
        count: Number of slices, at least 1.
        seed: First seed, 0 or more.
        out: Folder to make; it may exist if it is empty.
        format: `"png"` (16 bits), `"npy"` or `"nifti"` (`.nii.gz`).
        timeout: Seconds that a server may take to answer; it is asked again
            a few times.
        progress: Called with the slices done and `count` after each request.

    Returns:
        Path of `images.csv`: file, stage, seed, model_version, suvr_max,
        spacing_mm, plane, phantom.

    Raises:
        ConnectionError: If a server gives no answer.
        FileExistsError: If `out` holds something, or other images were begun.
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
        _draw(request, batch, missing, progress)
        _write_table(batch.images / "images.csv", request)
        batch.finish()
    return out / "images.csv"


def _open(model: str | Path, timeout: float) -> Model:
    if is_url(model):
        return RemoteModel.open(str(model), timeout=timeout)
    # a server's images need no TensorFlow here
    from pet_dcgan.serving.local_model import LocalModel

    return LocalModel.open(model)


def _missing(request: ImageRequest, batch: ResumableBatch) -> list[int]:
    """Seeds to be drawn, after a look at what was begun."""
    remedy = f"ask for that, remove {batch.folder} or choose another --out"
    if begun := batch.differences(request.words()):
        raise FileExistsError(
            f"expected to go on with the images that were begun for "
            f"{batch.out} ({', '.join(begun)}), found another request: {remedy}"
        )
    names = {request.file_name(seed): seed for seed in request.seeds}
    kept = batch.keep(names)
    if kept:
        (first,) = request.draw(request.seeds[:1])
        if not _same(first, batch.probe):
            raise FileExistsError(
                f"expected to go on with the images that were begun for "
                f"{batch.out}, found that version {request.model.version} of "
                f"{request.model.name} draws others now: {remedy}"
            )
    return [seed for seed in request.seeds if seed not in kept]


def _same(image: bytes, before: bytes) -> bool:
    """Whether two PNGs are one image, to what kernels differ by."""
    found, expected = (
        image_files.suvr_of_png(png, 65535.0) for png in (image, before)
    )
    return (
        found.shape == expected.shape
        and np.abs(found - expected).max(initial=0.0) < STEPS_TOLERANCE + 0.5
    )


def _draw(
    request: ImageRequest,
    batch: ResumableBatch,
    missing: Sequence[int],
    progress: Progress | None,
) -> None:
    """Writes the missing images, while the next ones are being drawn."""
    done = len(request.seeds) - len(missing)
    model = request.model
    drawn = prefetch_map(
        request.draw,
        request.blocks(missing),
        awaited=model.awaited,
        at_once=model.at_once,
    )
    with contextlib.closing(drawn):
        for seeds, images in drawn:
            if batch.probe is None:
                batch.begin(request.words(), images[0])
            batch.add(
                {
                    request.file_name(seed): request.file_content(seed, image)
                    for seed, image in zip(seeds, images, strict=True)
                }
            )
            done += len(seeds)
            if progress is not None:
                progress(done, len(request.seeds))


def _check_options(count, seed, chosen):
    if chosen not in FORMATS:
        raise ValueError(
            f"expected a format among {', '.join(FORMATS)}, found {chosen!r}"
        )
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        if not _is_whole(value) or value < least:
            raise ValueError(
                f"expected {name} as a whole number of {least} or more, "
                f"found {value!r}"
            )
    if seed + count > 2**63:
        raise ValueError(
            f"expected seeds below 2^63, found {seed} and {count} from "
            "there: give a smaller seed"
        )


def _is_whole(value):
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_free(out):
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"expected {out} to be new or empty, found files there: choose "
            "another --out"
        )
    if os.path.ismount(out):
        raise FileExistsError(
            f"expected {out} to be a folder that can be replaced, found a "
            f"mount point: choose one inside it, as --out {out / 'images'}"
        )


def _write_table(path: Path, request: ImageRequest) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(request.rows())
