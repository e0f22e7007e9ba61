"""How the help of a command looks, and what it says to a wrong value.

Typer's own help names types of Python (`<bool>`, `list[Path]`) and changes
with its version. This one shows what a reader types.
"""

import itertools
import re
import textwrap
import typing
from collections.abc import Collection
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pet_dcgan.utils.choices import similar
from pet_dcgan.utils.plain_values import shown

# of the program, and by inheritance of its commands
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_GENERAL = "Options"
_LEFT = 27  # columns for an option; where it is wider, its help is below
_SHORT = 3
_OFFERED = 60
_UsageError = typer.BadParameter.__base__  # of click, or of typer's copy
_JOINT = "\xa0"  # a space at which no line is broken
_VALUE = re.compile(r"(--\S+) (?!-)")
# by the words for their values
_NUMBERS = {"N": "a whole number", "SECONDS": "a number"}


class Command(TyperCommand):
    """A command; each line of its epilog is an example."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        hints = typing.get_type_hints(self.callback, include_extras=True)
        for parameter in self.params:
            # click from 8.4 drops the help of an argument of an older typer
            about = hints[parameter.name].__metadata__[0]
            parameter.help = parameter.help or about.help

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Parses the words after the command's name.

        Args:
            ctx: Of the command.
            args: The words.

        Raises:
            typer.BadParameter: If one is wrong; it names the nearest choice.
        """
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = _clearer(error, words)
            raise
        except _UsageError as error:
            error.message += _missing_equals(words)
            raise

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:
        """What must be given, and that there is more."""
        needed = [p for p in self.get_params(ctx) if p.required]
        needed.sort(key=_is_option)
        return [*(_written(p) for p in needed), "[OPTIONS]"]

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:
        """What may follow; typer would break a long help into two lines.

        Args:
            ctx: Of the command.
            incomplete: What has been typed of the word.
        """
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = shortened(item.help or "")
        return items

    def get_help(self, ctx: typer.Context) -> str:
        """The help as text."""
        return super().get_help(ctx).replace(_JOINT, " ")

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:
        """Writes the help.

        Args:
            ctx: Of the command.
            formatter: Of click; it keeps the text.
        """
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_parameters(self.get_params(ctx), formatter)
        examples = (self.epilog or "").splitlines()
        with _section(formatter, "Example" + "s" * (len(examples) > 1)):
            for example in examples:
                formatter.write(_as_typed(example, formatter.width))


class Program(TyperGroup):
    """The program, with what comes before a command."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:
        """That a command must be given."""
        return ["COMMAND", "..."]

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:
        """Writes the help, with the first paragraph of each command's.

        Args:
            ctx: Of the program.
            formatter: Of click; it keeps the text.
        """
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        rows = [
            (_bold(name), (command.help or "").partition("\n\n")[0])
            for name, command in self.commands.items()
        ]
        with _section(formatter, "Commands"):
            formatter.write_dl(rows)
        _write_parameters(self.get_params(ctx), formatter)
        formatter.write(f"\nHelp of a command: {ctx.info_name} COMMAND -h\n")


def _write_parameters(parameters: list[Any], formatter: Any) -> None:
    """Writes arguments and options, in panels, required ones first."""
    panels: dict[str, list[Any]] = {"Arguments": [], _GENERAL: []}
    for each in parameters:
        name = getattr(each, "rich_help_panel", None) or _GENERAL
        name = name if _is_option(each) else "Arguments"
        if not each.hidden:
            panels.setdefault(name, []).append(each)
    for name, members in panels.items():
        members.sort(key=lambda p: not p.required)
        rows = [(_bold(_written(p)), _described(p)) for p in members]
        if rows:
            with _section(formatter, name):
                formatter.write_dl(rows, col_max=_LEFT)


def _is_option(parameter: Any) -> bool:
    """Whether it is an option, and no argument."""
    return parameter.param_type_name == "option"


def _written(parameter: Any) -> str:
    """A parameter as it is typed, `--count N` or `FOLDER`."""
    value = parameter.metavar or ""
    if not _is_option(parameter):
        return (value or parameter.name.upper()) + (
            "..." * (parameter.nargs != 1)
        )
    # click makes the names of --help from a set
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {value}"


def _described(parameter: Any) -> str:
    """The help of a parameter, with its default."""
    words = [parameter.help or ""]
    if parameter.required:
        words.append("[required]")
    elif not (parameter.is_flag or parameter.default in (None, ())):
        words.append(f"[default:{_JOINT}{parameter.default}]")
    return " ".join(filter(None, words))


def _as_typed(command: str, width: int) -> str:
    """A command that can be pasted, on as many lines as it needs."""
    lines = textwrap.wrap(
        _VALUE.sub(rf"\1{_JOINT}", command),
        width - 4,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return textwrap.indent(" \\\n".join(lines), "  ") + "\n"


def _clearer(error: typer.BadParameter, words: list[str]) -> str:
    """What is wrong with a value, in the words of this program.

    Args:
        error: Of a parameter; what this program has raised stays as it is.
        words: Those of the command line.
    """
    option = error.param
    found = _value_of(option, words)
    if found is None or error.message.startswith("expected"):
        return error.message
    choices = (option.metavar or "").split("|")
    if len(choices) > 1:
        return expected_among(choices, found)
    if option.metavar in _NUMBERS:
        allowed = _range(getattr(option, "type", option))
        return f"expected {_NUMBERS[option.metavar]} {allowed}; found {found!r}"
    return error.message


def _range(kind: Any) -> str:
    """Which numbers a type takes."""
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if most is not None:
        return f"from {least} to {most}"
    return f"of at least {least}" if least else "that is not negative"


def _missing_equals(words: list[str]) -> str:
    """What to write in place of `--set NAME VALUE`, if that was written."""
    for option, name, value in zip(words, words[1:], words[2:], strict=False):
        if option == "--set" and not ("=" in name or value.startswith("-")):
            return f": write --set {name}={value}"
    return ""


def expected_among(choices: Collection[str], found: str) -> str:
    """An error in words, with the nearest choice if one is near.

    Args:
        choices: What is allowed.
        found: What was given.
    """
    letters = sorted(found.lower())
    near = [
        choice
        for choice in similar(found, choices)
        # of short words only those of the same letters, as NC for CN
        if len(choice) > _SHORT or sorted(choice.lower()) == letters
    ]
    remedy = f": write {near[0]}" if near else ""
    return f"expected {', '.join(choices)}; found {shown(found)}{remedy}"


def shortened(text: str) -> str:
    """The beginning of a text, for a line beside what a shell offers."""
    return textwrap.shorten(text, _OFFERED, placeholder=" ...")


def _value_of(option: Any, words: list[str]) -> str | None:
    """The value that an option was given last, if it has one."""
    found = None
    for name in getattr(option, "opts", ()):
        for word, following in itertools.zip_longest(words, words[1:]):
            if word == name:
                found = following
            elif word.startswith(f"{name}="):
                found = word.removeprefix(f"{name}=")
    return found


def _section(formatter: Any, heading: str) -> Any:
    """A heading, and a block below it that is indented."""
    return formatter.section(_bold(heading))


def _bold(text: str) -> str:
    """A text that a terminal shows in bold letters."""
    return typer.style(text, bold=True)
