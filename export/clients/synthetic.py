"""What the clients share: options in, synthetic images and a table out."""

import argparse
import csv
import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import images
import wanted

_STAGES = ("NC", "MCI", "AD", "ALL")
_PLANES = ("axial", "coronal", "sagittal")
_MOST_VOXELS = 256  # of a volume, along each axis
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
        if (
            facts["plane"] == images.VOLUME
            and not facts["size"] <= _MOST_VOXELS
        ):
            wrong.append("size")
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
    "plane": lambda value: value in (*_PLANES, images.VOLUME, "ALL"),
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
    found = draw(block, asked.columns(block))
    if len(found) != rows:
        raise ValueError(
            f"expected {rows} images for {rows} seeds, found {len(found)}: "
            "check which model the server holds"
        )
    return [found[seed - first] for seed in seeds]


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
    sides = images.shape(facts, suvr=options.suvr)
    suffix = ".npy" if options.suvr else ".png"
    rows, shown = [], facts
    if asked.conditions is not None:
        name = f"{name}_{asked.label}"
        shown = facts | {"stage": asked.stage, "plane": asked.plane}
    most = facts["max_rows"]
    for seeds in blocks(options.seed, options.count, rows=most):
        found = drawn(draw, seeds, rows=most, asked=asked)
        for seed, image in zip(seeds, found, strict=True):
            file = f"{kind}_{name}_{seed:07d}{suffix}"
            images.write(options.out / file, image, sides)
            rows.append([file, shown["stage"], seed, version])
            rows[-1] += [str(shown[each]).lower() for each in _FACTS]
            rows[-1] += _more(facts, asked, seed).values()
        print(f"\r{len(rows)} of {options.count}", end="", file=sys.stderr)
    print(file=sys.stderr)
    with (options.out / "images.csv").open("w", newline="") as table:
        columns = [*_COLUMNS, *_more(facts, asked, options.seed)]
        csv.writer(table, lineterminator="\n").writerows([columns, *rows])
    print(f"{options.out}: {len(rows)} {kind} images of {name} {version}")


def _more(
    facts: dict[str, Any], asked: wanted.Asked, seed: int
) -> dict[str, str]:
    """Further cells of the table, by their column."""
    cells = {}
    if asked.conditions is not None:
        cells = dict(zip(wanted.COLUMNS, asked.cells(seed), strict=True))
    if facts["plane"] == images.VOLUME:
        cells["space"] = one_line(facts.get("space", "native"))
    return cells


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
