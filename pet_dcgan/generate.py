"""Synthetic slices from an exported model, each traceable to its seed."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from pet_dcgan.files import replacing
from pet_dcgan.serving import slice_files
from pet_dcgan.serving.served import ModelFacts, ServedModel

CHUNK = 64
# format: (suffix, signature, its output)
_FORMATS = {
    "png": (".png", "generate_png", "image_bytes"),
    "npy": (".npy", "generate", "suvr"),
    "nifti": (".nii.gz", "generate", "suvr"),
}
FORMATS = tuple(_FORMATS)
_COLUMNS = (
    "file",
    "stage",
    "seed",
    "model_version",
    "suvr_max",
    "spacing_mm",
    "plane",
    "phantom",
)
# tensorflow reports a damaged or truncated model as any of these
_DAMAGED = (OSError, ValueError, IndexError, RuntimeError, tf.errors.OpError)
Progress = Callable[[int, int], None]


def generate(
    model: str | Path,
    *,
    count: int,
    seed: int = 0,
    out: str | Path,
    format: str = "png",  # noqa: A002
    progress: Progress | None = None,
) -> Path:
    """Writes `count` synthetic slices and a table of where they come from.

    Image `i` is that of seed `seed + i`, whatever the other images are. The
    SUVR scale is kept: PNG value / 65535 * `suvr_max`, NPY and NIfTI in SUVR.
    The folder appears once it is complete.

    Args:
        model: Folder of an exported version, or its parent, of which the
            highest version is taken.
        count: Number of slices, at least 1.
        seed: First seed, 0 or more.
        out: Folder to make; it may exist if it is empty.
        format: `"png"` (16 bits), `"npy"` or `"nifti"` (`.nii.gz`).
        progress: Called with the slices done and `count` after each chunk.

    Returns:
        Path of `images.csv`: file, stage, seed, model_version, suvr_max,
        spacing_mm, plane, phantom.

    Raises:
        FileExistsError: If `out` holds something.
        FileNotFoundError: If there is no exported model.
        ValueError: If an option is out of range or the model is damaged.
    """
    out = Path(out)
    _check_options(count, seed, format)
    _check_free(out)
    served = ServedModel.open(model)
    produce = _load_signature(served, format)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as folder:
        folder.mkdir()
        rows = []
        for first in range(seed, seed + count, CHUNK):
            seeds = range(first, min(first + CHUNK, seed + count))
            for one, image in zip(seeds, produce(seeds), strict=True):
                name = _file_name(served, one, format)
                _write_slice(folder / name, image, one, served.facts)
                rows.append(_row(name, one, served))
            if progress is not None:
                progress(len(rows), count)
        _write_table(folder / "images.csv", rows)
    return out / "images.csv"


def _check_options(count, seed, chosen):
    if chosen not in _FORMATS:
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


def _load_signature(served, chosen):
    """A function of seeds that gives an array, or bytes, for each."""
    _, name, output = _FORMATS[chosen]
    try:
        loaded = tf.saved_model.load(str(served.path))
    except _DAMAGED as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"expected a whole model in {served.path}, found a damaged one "
            f"({reason}): export the run again"
        ) from error
    if name not in loaded.signatures:
        raise ValueError(
            f"expected the signature {name} in {served.path}, found "
            f"{', '.join(loaded.signatures) or 'none'}: export the run again"
        )
    signature = loaded.signatures[name]

    def produce(seeds):
        # `loaded` is named to stay alive with its variables
        _ = loaded
        return signature(seed=tf.constant(seeds, tf.int64))[output].numpy()

    return produce


def _file_name(served: ServedModel, seed: int, chosen: str) -> str:
    kind = "phantom" if served.facts.phantom else "synthetic"
    return f"{kind}_{served.name}_{seed:07d}{_FORMATS[chosen][0]}"


def _write_slice(path, image, seed: int, facts: ModelFacts) -> None:
    phantom = " phantom" if facts.phantom else ""
    description = f"synthetic{phantom} PET slice, not for diagnosis"
    if path.suffix == ".png":
        notes = {
            "Description": description,
            "synthetic": "true",
            "phantom": str(facts.phantom).lower(),
            "stage": facts.stage,
            "plane": facts.plane,
            "seed": str(seed),
            "suvr_max": str(facts.suvr_max),
            "spacing_mm": str(facts.spacing_mm),
        }
        slice_files.write_png(path, image, notes)
    elif path.suffix == ".npy":
        slice_files.write_npy(path, image)
    else:
        slice_files.write_nifti(
            path,
            image,
            plane=facts.plane,
            spacing_mm=facts.spacing_mm,
            description=description,
        )


def _row(name: str, seed: int, served: ServedModel) -> tuple:
    facts = served.facts
    return (
        name,
        facts.stage,
        seed,
        served.version,
        facts.suvr_max,
        facts.spacing_mm,
        facts.plane,
        str(facts.phantom).lower(),
    )


def _write_table(path: Path, rows: list[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
