"""The settings of a training: what `--set` takes, listed and completed.

Names and values are those of the presets; choices and limits those of
`TrainConfig`, and meanings those of its docstring.
"""

import dataclasses
import inspect
import re
import shutil
import textwrap
from typing import Any

from pet_dcgan.cli.help import shortened
from pet_dcgan.config import TrainConfig
from pet_dcgan.presets import AUGMENTATIONS, PRESETS

_FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}
# an argument in a docstring, with the lines that are indented below it
_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.M)
_WIDEST = 100
_INDENT = " " * 21
_TITLE = "What --set NAME=VALUE takes, of train and of study's generators:"


def settable() -> list[str]:
    """Names that `--set` takes, in the order of a run's `config.json`."""
    known = set().union(*PRESETS.values())
    return [name for name in _FIELDS if name in known]


def list_settings() -> str:
    """Every setting: its meaning, what it may be, and what presets have."""
    width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
    meanings = _meanings()
    lines = [_TITLE]
    for name in settable():
        about = _wrapped(meanings[name], width) or _INDENT
        lines.append(f"{name:<{len(_INDENT)}}" + about[len(_INDENT) :])
        values = f"{_allowed(name)} ({_in_presets(name)})"
        lines.append(_wrapped(values, width))
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> str:
    """A text that stands beside a column of names."""
    return textwrap.fill(
        text.strip(),
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def complete_setting(incomplete: str) -> list[tuple[str, str]]:
    """What `--set` may be followed by.

    Args:
        incomplete: What has been typed, as `batch` or `xla=t`.

    Returns:
        Names as `batch_size=`, each with the beginning of its meaning; once
        only one is possible, that one with values it may have.
    """
    name, equals, _ = incomplete.partition("=")
    names = [n for n in settable() if n.startswith(name)]
    if equals:
        names = [n for n in names if n == name]
    if len(names) > 1:
        meanings = _meanings()
        return [(f"{each}=", shortened(meanings[each])) for each in names]
    return [(f"{each}={v}", "") for each in names for v in _examples(each)]


def _meanings() -> dict[str, str]:
    """What each setting is, by name; empty where Python drops docstrings."""
    text = inspect.cleandoc(TrainConfig.__doc__ or "")
    found = {
        name: " ".join(re.sub('[`"]', "", words).split())
        for name, words in _ARGUMENT.findall(text)
    }
    names = ", ".join(AUGMENTATIONS)
    return {
        name: found.get(name, "").replace("AUGMENTATIONS", names)
        for name in _FIELDS
    }


def _allowed(name: str) -> str:
    """What the value of a setting may be."""
    field = _FIELDS[name]
    choices = ["true", "false"] if field.type is bool else None
    if choices := field.metadata.get("choices", choices):
        return " or ".join(map(_number, choices))
    limits = field.metadata.get("limits", ())
    return " to ".join(map(_number, limits)) or "text"


def _examples(name: str) -> list[str]:
    """Values a setting may have: all of few, or those of the presets."""
    field = _FIELDS[name]
    if field.type is bool:
        return ["true", "false"]
    values = field.metadata.get("choices") or _of_presets(name).values()
    return list(dict.fromkeys(map(_number, values)))


def _in_presets(name: str) -> str:
    """The value of a setting in each preset."""
    values = {p: _number(v) for p, v in _of_presets(name).items()}
    if len(set(values.values())) == 1:
        return f"{next(iter(values.values()))} in every preset"
    return "; ".join(f"{p} {v}" for p, v in values.items())


def _of_presets(name: str) -> dict[str, Any]:
    """The value of a setting by preset."""
    return {preset: values[name] for preset, values in PRESETS.items()}


def _number(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
