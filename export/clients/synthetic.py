"""What the clients share: options in, synthetic slices and a table out."""

import argparse
import csv
import json
import struct
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import wanted

PNG = b"\x89PNG\r\n\x1a\n"
_GREY_16 = (16, 0, 0, 0, 0)  # bits, colour, compression, filter, interlace
_STAGES = ("NC", "MCI", "AD", "ALL")
_PLANES = ("axial", "coronal", "sagittal")
_FACTS = ("suvr_max", "spacing_mm", "plane", "phantom")
# of a table as that of `pet-dcgan generate`
_COLUMNS = ("file", "stage", "seed", "model_version", *_FACTS)


def parser(description: str) -> argparse.ArgumentParser:
    """Returns a parser whose help is a script's docstring."""
    return argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that both clients have."""
    parser.add_argument("--out", required=True, type=Path, help="a new folder")
    parser.add_argument("--count", type=whole(1), default=1, help="images")
    parser.add_argument(
        "--seed", type=whole(0), default=0, help="of the first image; then +1"
    )
    parser.add_argument(
        "--suvr", action="store_true", help="NPY in SUVR, not 16-bit PNG"
    )
    parser.add_argument(
        "--timeout", type=seconds, default=30.0, help="of a request, seconds"
    )
    wanted.add_arguments(parser)


def whole(least: int, most: int = 2**63 - 1) -> Callable[[str], int]:
    """Returns a parser of whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"expected a whole number from {least} to {most}, found {text}"
            )
        return value

    return parse


def seconds(text: str) -> float:
    """Parses an argument that is a time in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(
            f"expected seconds, more than 0 and up to 3600, found {text}"
        )
    return value


def one_line(text: object) -> str:
    """Returns what a server wrote as one short line without terminal codes."""
    words = " ".join(str(text)[:800].split())[:200]
    return "".join(
        "?" if unicodedata.category(each)[0] == "C" else each for each in words
    )


def parse_facts(text: str | bytes) -> dict[str, Any]:
    """Parses the answer of the signature `describe`.

    Raises:
        ValueError: If facts of a model are missing or make no sense.
    """
    try:
        facts = json.loads(text)
        wrong = [
            name for name, fits in _LIMITS.items() if not fits(facts[name])
        ]
        if not wanted.sound(facts):
            wrong.append("conditions")
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ):
        wrong = ["all that an export states"]
    if wrong:
        raise ValueError(
            "expected a model that pet-dcgan exported, found a description "
            f"without sound values of {', '.join(wrong)}: give another"
        )
    return facts


def _within(low: float, high: float, kind: type = float) -> Callable:
    """Returns a check of a number, whole if `kind` is int."""

    def fits(value: Any) -> bool:
        kinds = (int, float) if kind is float else kind
        number = isinstance(value, kinds) and not isinstance(value, bool)
        return number and low <= value <= high

    return fits


# of `pet_dcgan.models.model_info.ModelInfo`, as far as they are used
_LIMITS = {
    "stage": lambda value: value in _STAGES,
    "plane": lambda value: value in (*_PLANES, "ALL"),
    "phantom": lambda value: isinstance(value, bool),
    "size": _within(8, 512, int),
    "max_rows": _within(1, 64, int),
    "suvr_max": _within(0.1, 1000),
    "spacing_mm": _within(0.1, 100),
}


def blocks(first: int, count: int, *, rows: int) -> Iterator[list[int]]:
    """Yields consecutive seeds by the block that holds them.

    Seed s is row s % rows of its block, whatever else is requested, as in
    `pet-dcgan generate`: a server's last bits depend on what it computes
    together.
    """
    end = first + count
    while first < end:
        following = min(first - first % rows + rows, end)
        yield list(range(first, following))
        first = following


def drawn(
    draw: Callable[[list[int], dict[str, list]], list[Any]],
    seeds: list[int],
    *,
    rows: int,
    asked: wanted.Asked,
) -> list[Any]:
    """Returns the images of seeds of one block, which is drawn whole."""
    first = seeds[0] - seeds[0] % rows
    # seeds end below 2^63
    block = [min(seed, 2**63 - 1) for seed in range(first, first + rows)]
    images = draw(block, asked.columns(block))
    if len(images) != rows:
        raise ValueError(
            f"expected {rows} images for {rows} seeds, found {len(images)}: "
            "check which model the server holds"
        )
    return [images[seed - first] for seed in seeds]


def write(
    options: argparse.Namespace,
    *,
    facts: dict[str, Any],
    name: str,
    version: str,
    draw: Callable[[list[int], dict[str, list]], list[Any]],
) -> None:
    """Draws images and writes them with a table.

    Args:
        options: Those of `add_arguments`.
        facts: Result of `parse_facts`.
        name: The model's name.
        version: The version that draws.
        draw: Seeds, and the other inputs by name, to PNGs, or with `--suvr`
            to arrays.

    Raises:
        OSError: If the folder is not empty or cannot be written.
        ValueError: If an image is not a PNG, or seeds are beyond int64.
    """
    if options.seed + options.count > 2**63:
        raise ValueError("expected seeds below 2^63: give a smaller --seed")
    asked = wanted.Asked(options, facts)
    options.out.mkdir(parents=True, exist_ok=True)
    if any(options.out.iterdir()):
        raise FileExistsError(
            f"{options.out} is not empty: choose another --out"
        )
    kind = "phantom" if facts["phantom"] else "synthetic"
    suffix = ".npy" if options.suvr else ".png"
    rows, columns, shown = [], list(_COLUMNS), facts
    if asked.conditions is not None:
        columns += wanted.COLUMNS
        name = f"{name}_{asked.label}"
        shown = facts | {"stage": asked.stage, "plane": asked.plane}
    most = facts["max_rows"]
    for seeds in blocks(options.seed, options.count, rows=most):
        images = drawn(draw, seeds, rows=most, asked=asked)
        for seed, image in zip(seeds, images, strict=True):
            file = f"{kind}_{name}_{seed:07d}{suffix}"
            _write(options.out / file, image, facts["size"])
            rows.append([file, shown["stage"], seed, version])
            rows[-1] += [str(shown[each]).lower() for each in _FACTS]
            if asked.conditions is not None:
                rows[-1] += asked.cells(seed)
        print(f"\r{len(rows)} of {options.count}", end="", file=sys.stderr)
    print(file=sys.stderr)
    with (options.out / "images.csv").open("w", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows([columns, *rows])
    print(f"{options.out}: {len(rows)} {kind} images of {name} {version}")


def run(command: Callable[[], None], *failures: type[Exception]) -> int:
    """Returns the exit code of a command; an error is one line on stderr."""
    try:
        command()
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError, *failures) as error:
        words = str(error)
        if isinstance(error, OSError) and error.filename:
            words = (
                f"cannot write {error.filename} ({error.strerror}): give "
                "another place"
            )
        print(f"error: {words}", file=sys.stderr)
        return 1
    return 0


def _write(path: Path, image: Any, size: int) -> None:
    """Writes one image, by the suffix of its file, if it is a whole one."""
    try:
        if path.suffix == ".npy":
            import numpy as np

            suvr = np.asarray(image, np.float32)
            fits = suvr.shape == (size, size) and np.isfinite(suvr).all()
        else:
            fits = _is_png(image, size)
    except (TypeError, ValueError, struct.error, zlib.error):
        fits = False
    if not fits:
        raise ValueError(
            f"expected a whole image of {size} x {size} for {path.name}, found "
            "something else: check which model the server holds"
        )
    if path.suffix == ".npy":
        np.save(path, suvr)
    else:
        path.write_bytes(image)


def _is_png(image: Any, size: int) -> bool:
    """Whether an image is a whole grey PNG of 16 bits.

    PNG specification, third edition: sections 5 (chunks) and 11.
    """
    if not isinstance(image, bytes) or not image.startswith(PNG):
        return False
    names, packed, place = [], b"", len(PNG)
    while place < len(image):
        length, name = struct.unpack_from(">I4s", image, place)
        content = image[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", image, place + 8 + length)
        if checksum != zlib.crc32(name + content):
            return False
        if not names and content != struct.pack(
            ">IIBBBBB", size, size, *_GREY_16
        ):
            return False
        packed += content if name == b"IDAT" else b""
        names.append(name)
        place += 12 + length
    unpacker = zlib.decompressobj()
    expected = size * (1 + 2 * size)  # a filter, and two bytes a pixel
    pixels = unpacker.decompress(packed, expected + 1)
    return (
        names[:1] + names[-1:] == [b"IHDR", b"IEND"]
        and set(names[1:-1]) <= {b"IDAT", b"tEXt"}
        and len(pixels) == expected
        and unpacker.eof
        and not unpacker.unused_data
    )
