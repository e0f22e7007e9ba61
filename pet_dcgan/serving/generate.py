"""Synthetic images from an exported model, each traceable to its seed."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.serving import image_files
from pet_dcgan.serving.bids import check_license
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.image_request import ImageRequest
from pet_dcgan.serving.source import opened
from pet_dcgan.serving.wanted import Wanted, WantedError
from pet_dcgan.utils.meant import as_typed
from pet_dcgan.utils.prefetch import prefetch_map
from pet_dcgan.utils.seed_blocks import STEPS_TOLERANCE, seed_blocks

if TYPE_CHECKING:
    import keras

Progress = Callable[[int, int], None]


def generate(
    model: "str | Path | keras.Model",
    *,
    count: int,
    seed: int = 0,
    out: str | Path,
    facts: ImageFacts | None = None,
    format: str | None = None,  # noqa: A002
    bids: bool = False,
    license: str | None = None,  # noqa: A002
    stage: str | Sequence[float] | None = None,
    plane: str | None = None,
    position_mm: float | None = None,
    age: float | None = None,
    sex: str | None = None,
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> Path:
    """Writes `count` synthetic images and a table of their provenance.

    Image `i` is that of seed `seed + i`, whatever the other images are. Its
    bytes from a folder are those from a server that runs the same TensorFlow
    with as many threads on a processor of the same kind and does not batch
    requests: every image is the model's 16-bit PNG, and a seed is computed in
    the same place of the same block of `max_rows` seeds (`utils.seed_blocks`),
    so one image costs as much as a block. The SUVR scale is kept: PNG value /
    65535 * `suvr_max`; NPY and NIfTI hold the same in SUVR.

    Of a model of volumes an image is a whole brain: in NPY and NIfTI
    `[x, y, z]`, x to the right, y to the front, z upwards, with a true affine
    (`utils.volume_grid`); a PNG has an axial, a coronal and a sagittal cut
    side by side, for looking at.

    The folder appears once it is complete. An interrupted batch is kept
    beside it, and the same call resumes it.

    Args:
        model: Folder of an exported version, or its parent, of which the
            highest version is taken; or the URL of either on a server, as
            `http://host:8501/v1/models/ad`; or a network in memory, a `DCGAN`
            or any Keras generator, whose images are those that it would give
            once exported, and whose version is "live".
        count: Number of images, at least 1.
        seed: First seed, 0 or more.
        out: Folder to make; it may exist if it is empty.
        facts: What the images mean, for a network without facts of its own.
        format: `"png"` (16 bits, the default), `"npy"`, `"nifti"`
            (`.nii.gz`) or `"nii"`, the same unpacked, as SPM opens it.
        bids: Whether volumes become a BIDS derivative, in NIfTI: a participant
            `sub-syn<seed>` each, with a JSON file of where it is from.
        license: Name of its licence, as `"CC0"`, for its description.
        stage: What a conditional model is asked for, and no other: `"NC"`,
            `"MCI"` or `"AD"`, or weights of the three that sum to 1.
        plane: A plane that it knows; needed where it knows several.
        position_mm: From the centre of the brain, to the right, to the front
            and upwards; if None, each image has its own, drawn from the
            plane's band by its seed.
        age: Years, where age is a condition; unknown if None.
        sex: `"F"` or `"M"`, where sex is a condition; unknown if None.
        timeout: Seconds that a server may take for a whole answer; a few
            further attempts are made.
        progress: Called with the images done and `count` after each request.

    Returns:
        Path of `images.csv`: file, stage, seed, model_version, suvr_max,
        spacing_mm, plane, phantom; of a conditional model also position_mm,
        age and sex, empty where there is none; of volumes the space. With
        `bids` that of `participants.tsv`.

    Raises:
        BlockingIOError: If another process is making `out`.
        ConnectionError: If a server gives no answer.
        FileExistsError: If `out` is not empty, or holds the beginning of
            another request.
        FileNotFoundError: If there is no exported model.
        ValueError: If an option is out of range, the model is damaged, a
            network has no facts, or a server has no such model.
        WantedError: If the model does not know what it is asked for, or
            options contradict each other; it is a ValueError.
    """
    out = Path(os.path.abspath(out))
    format = _format(format, bids=bids, license=license)  # noqa: A001
    _check_options(count, seed, format)
    image_files.remove_rest(out)
    _check_free(out)
    wanted = Wanted(
        stage=stage, plane=plane, position_mm=position_mm, age=age, sex=sex
    )
    with (
        opened(model, facts=facts, timeout=timeout) as source,
        image_files.resumable_batch(out) as batch,
    ):
        # another process may have finished it before the lock was free
        _check_free(out)
        seeds = range(seed, seed + count)
        request = ImageRequest(source, seeds, format, wanted, as_bids=bids)
        _draw(request, batch, progress or (lambda *_: None))
        table = request.describe(batch.images, license=license)
        batch.finish()
    return out / table


def _format(chosen: str | None, *, bids: bool, license: str | None) -> str:  # noqa: A002
    """The format, and whether what is said of BIDS fits it."""
    check_license(license)
    if license is not None and not bids:
        raise WantedError(
            f"expected --license with --bids alone, found {license}: add "
            "--bids, or leave it out"
        )
    if bids and chosen not in (None, "nifti"):
        raise WantedError(
            f"expected NIfTI with --bids, found the format {chosen}: leave "
            "--format out"
        )
    return chosen or ("nifti" if bids else "png")


def _check_options(count: Any, seed: Any, chosen: str) -> None:
    """Refuses an unknown format, and numbers out of range."""
    if chosen not in image_files.FORMATS:
        known = ", ".join(image_files.FORMATS)
        raise ValueError(f"expected a format among {known}, found {chosen!r}")
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
    if out.is_symlink():
        raise FileExistsError(f"{out} is a link: choose another --out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty: choose another --out")
    if os.path.ismount(out):
        raise FileExistsError(
            f"{out} is a mount point, which cannot be replaced: choose a "
            f"folder inside it, as --out {as_typed(out / 'images')}"
        )


def _draw(
    request: ImageRequest, batch: image_files.ResumableBatch, progress: Progress
) -> None:
    """Writes the missing images, while the next ones are being drawn."""
    missing = _missing(request, batch)
    done = len(request.seeds) - len(missing)
    local = isinstance(request.model, ExportedModel)
    drawn = prefetch_map(
        request.draw,
        seed_blocks(missing, request.facts.max_rows).values(),
        # a process must not end while TensorFlow computes
        awaited=local,
        # two keep all cores busy; a server gets one request after the other
        at_once=2 if local else 1,
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


def _missing(
    request: ImageRequest, batch: image_files.ResumableBatch
) -> list[int]:
    """Returns the seeds to draw, if the batch fits the request."""
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
    """Whether two PNGs are equal up to differences between kernels."""
    found, expected = (
        image_files.suvr_of_png(png, 65535.0) for png in (image, before)
    )
    return (
        found.shape == expected.shape
        and np.abs(found - expected).max(initial=0.0) < STEPS_TOLERANCE + 0.5
    )
