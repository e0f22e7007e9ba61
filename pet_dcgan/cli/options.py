"""The values the command line takes, and how its texts are parsed."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pet_dcgan.cli import settings
from pet_dcgan.config import (
    DATASETS,
    PLANES,
    STAGES,
    check_overrides,
)
from pet_dcgan.models.condition_values import stage_weights
from pet_dcgan.presets import PRESETS, VOLUME, parse_overrides

Plane = Literal[PLANES]
Stage = Literal[STAGES]


def _complete_config(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the sets in `--data-dir`, or else of those there may be.

    Args:
        ctx: Has what was typed before.
        incomplete: What has been typed of the name.
    """
    data_dir = ctx.params.get("data_dir")
    made = []
    if data_dir and ctx.info_name != "prepare":
        made = [p.name for p in Path(data_dir, "adni").glob("*") if p.is_dir()]
    return [n for n in sorted(made) or DATASETS if n.startswith(incomplete)]


def _complete_planes(incomplete: str) -> list[str]:
    """Planes after a comma or at the start, none twice."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [
        f"{before}{comma}{plane}"
        for plane in PLANES
        if plane.startswith(last) and plane not in given
    ]


DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", metavar="FOLDER", help="Folder of prepared data sets."
    ),
]
ConfigName = Annotated[
    str,
    typer.Option(
        "--config",
        metavar="NAME",
        autocompletion=_complete_config,
        help=f"{', '.join(DATASETS[:-1])} or {DATASETS[-1]}.",
    ),
]
Planes = Annotated[
    str,
    typer.Option(
        metavar="PLANES",
        autocompletion=_complete_planes,
        help=f"Some of {', '.join(PLANES)}, separated by commas.",
    ),
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="Same seed, same result.")
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Processes; all cores if unset."),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="|".join(PRESETS),
        autocompletion=lambda: list(PRESETS),
        help="The settings to start from.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        autocompletion=settings.complete_setting,
        help="Instead of the preset's value; may be repeated. "
        "pet-dcgan train --list-settings lists them.",
    ),
]


def parse_counts(text: str) -> dict[str, int]:
    """Parses the number of phantom subjects at each stage.

    Args:
        text: `24` for each stage, or `NC=8,MCI=8,AD=8`.

    Raises:
        typer.BadParameter: If it is neither.
    """
    left = list(STAGES)

    def parse(part: str) -> list[tuple[str, int]]:
        if part == text.strip() and part.isdecimal():
            return [(stage, _whole_number(part)) for stage in STAGES]
        stage, _, number = (word.strip() for word in part.partition("="))
        left.remove(stage)  # refuses what is no stage, and a second time
        return [(stage, _whole_number(number))]

    expected = (
        f"a number above 0, or stage=number with {', '.join(STAGES)}, each once"
    )
    counts = _parse_list(text, parse, expected, "--subjects")
    return dict(itertools.chain.from_iterable(counts))


def parse_planes(text: str) -> tuple[str, ...]:
    """Parses planes as `axial,coronal`.

    Raises:
        typer.BadParameter: If a plane is unknown.
    """

    def parse(part: str) -> str:
        if part not in PLANES:
            raise ValueError
        return part

    expected = f"some of {', '.join(PLANES)} with commas between"
    return _parse_list(text, parse, expected, "--planes")


def parse_fractions(text: str) -> tuple[int, ...]:
    """Parses percentages as `25,100`.

    Raises:
        typer.BadParameter: If one is not a whole number from 1 to 100.
    """
    expected = "whole numbers from 1 to 100 with commas between"
    return _parse_list(
        text, lambda p: _whole_number(p, 100), expected, "--fractions"
    )


def parse_stage(text: str | None) -> str | tuple[float, ...] | None:
    """Parses a stage, or the weights of all three as `0.5,0.5,0`.

    Args:
        text: None where none was given.

    Raises:
        typer.BadParameter: If it is neither.
    """
    if text is None:
        return None
    weights: Any = text
    if "," in text:
        expected = (
            f"a stage among {', '.join(STAGES)}, or three weights with commas "
            "between"
        )
        weights = _parse_list(text, float, expected, "--stage")
    with usage_errors("--stage"):
        stage_weights(weights)
    return weights


def _whole_number(text: str, most: float = float("inf")) -> int:
    """Parses digits alone, from 1 to `most`."""
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError
    return int(text)


def _parse_list(
    text: str, parse: Callable[[str], Any], expected: str, option: str
) -> tuple:
    """Parses values with commas between; `parse` refuses with ValueError."""
    values = []
    for part in text.split(","):
        try:
            values.append(parse(part.strip()))
        except ValueError:
            message = f"expected {expected}; found {part.strip()!r}"
            raise typer.BadParameter(message, param_hint=option) from None
    return tuple(values)


@contextlib.contextmanager
def usage_errors(
    option: str | None = None, *, kind: type[ValueError] = ValueError
) -> Iterator[None]:
    """Reports a ValueError in the block as a wrong option, which exits with 2.

    Args:
        option: Its name, if it is known.
        kind: Which errors are meant; others go on.

    Raises:
        typer.BadParameter: If the block raises such an error.
    """
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def require_stage(
    stage: str | None, preset: str, overrides: dict[str, str], *, dataset: str
) -> None:
    """Requires a stage where one generator is not asked for it.

    Args:
        stage: What was given.
        preset: The preset.
        overrides: From `parse_settings`.
        dataset: Name of the prepared set's configuration.

    Raises:
        typer.BadParameter: If there is none.
    """
    conditions = check_overrides(preset, overrides)["conditions"]
    if stage is None and conditions == "none":
        whole = dataset.startswith(VOLUME)
        together = "volume" if whole else "conditional"
        raise typer.BadParameter(
            f"expected a stage among {', '.join(STAGES)}, found none: name it, "
            f"or train one generator of all with --preset {together}",
            param_hint="--stage",
        )


def parse_settings(
    preset: str, settings: list[str] | None, **options: str | int | None
) -> dict[str, str]:
    """Parses the settings that replace a preset's.

    Args:
        preset: The preset.
        settings: Texts such as `batch_size=8`.
        **options: Settings with an option of their own, `None` where it is
            not given.

    Raises:
        typer.BadParameter: If the preset or a setting is unknown, a value
            invalid, or a setting given in both ways.
    """
    with usage_errors("--preset"):
        check_overrides(preset, {})
    given = {name: str(v) for name, v in options.items() if v is not None}
    with usage_errors("--set"):
        overrides = parse_overrides(settings or [])
        for name in given.keys() & overrides.keys():
            raise typer.BadParameter(
                f"expected {name} once, found --{name.replace('_', '-')} "
                f"{given[name]} and --set {name}={overrides[name]}: keep one",
                param_hint="--set",
            )
        overrides |= given
        check_overrides(preset, overrides)
    return overrides
