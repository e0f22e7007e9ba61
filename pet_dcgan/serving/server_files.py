"""`models.config`, by which TensorFlow Serving knows the models of a folder.

The messages are TensorFlow Serving's (tensorflow_serving/config/).
"""

import re
from pathlib import Path
from typing import NamedTuple

from google.protobuf import text_format

from pet_dcgan.serving.exported_model import complete_versions
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_text import fault, one_line
from pet_dcgan.utils.messages import message_classes

CONFIG_FILE = "models.config"
_MOUNT = "/models"  # where the server sees the folder of all models

_CLASSES = message_classes(
    {
        "ModelConfig": {"name": (1, "string"), "base_path": (2, "string")},
        "ModelConfigList": {"config": (1, "ModelConfig*")},
        "ModelServerConfig": {"model_config_list": (1, "ModelConfigList")},
    }
)
_NEW = """\
# What a model server serves from this folder (--model_config_file).
# `pet-dcgan export` adds the models that lie here and takes out those that
# are gone; what you write beside that stays.
model_config_list {
}
"""
# protobuf's text format: comments, strings, braces, other words
_TOKEN = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    r"""|[{}]|[^\s{}"'#:,;]+"""
)
_MOST_BYTES = 2**18  # of the list; an entry has about 100
# what a URL of the REST interface can name
_SERVABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def update_models_config(models_dir: str | Path) -> Path:
    """Updates `<models_dir>/models.config` to list the models there.

    The file is inside the folder of models, so that one read-only mount holds
    all that is served and a polling server sees a replaced file. A new model
    gets an entry; that of a missing model, with which a server would not
    start, is removed, or commented out if it had been edited. All else stays:
    comments, version policies, labels, models of other folders. The same
    models give the same bytes.

    Args:
        models_dir: Folder of all models, as `export/models`, which the server
            sees as `/models`.

    Returns:
        Path of the file.

    Raises:
        ValueError: If a server could not read the file that is there.
    """
    path = Path(models_dir) / CONFIG_FILE
    # once more after writing: another export may have come in between
    while (text := _updated(path)) is not None:
        with replacing(path) as file:
            file.write_text(text, encoding="utf-8")
    return path


class _Entry(NamedTuple):
    """One `config { ... }`: its place in the text and what it names."""

    start: int
    end: int
    name: str
    base_path: str


def _updated(path: Path) -> str | None:
    """Returns the text the file should have, None if it has it."""
    old = _read(path)
    text = _NEW if old is None else old
    here = {
        entry.name
        for entry in path.parent.iterdir()
        if _SERVABLE.fullmatch(entry.name) and complete_versions(entry)
    }
    for entry in reversed(_entries(text, path)):
        parent, _, folder = entry.base_path.rstrip("/").rpartition("/")
        if parent == _MOUNT and folder not in here:
            text = _without(text, entry)
    for name in sorted(here - {e.name for e in _entries(text, path)}):
        text = _with(text, name, path)
    return None if text == old else text


def _read(path: Path) -> str | None:
    """Returns the text of the list, None where there is none."""
    try:
        return read_bytes(path, most=_MOST_BYTES).decode()
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _unreadable(path, fault(error)) from None


def _config(name: str) -> str:
    """Returns the entry of a model."""
    return (
        "  config {\n"
        f'    name: "{name}"\n'
        f'    base_path: "{_MOUNT}/{name}"\n'
        '    model_platform: "tensorflow"\n'
        "  }\n"
    )


def _with(text: str, name: str, path: Path) -> str:
    """Returns the text with an entry, before the first of a later name."""
    later = [one.start for one in _entries(text, path) if one.name > name]
    closing = [token.start() for token in _tokens(text) if token[0] == "}"][-1]
    before = text[: min(later, default=closing)].rstrip(" \t")
    newline = "" if before.endswith("\n") else "\n"
    return before + newline + _config(name) + text[len(before) :]


def _without(text: str, entry: _Entry) -> str:
    """Returns the text without an entry, or with it as a comment."""
    before = text[: entry.start].rstrip(" \t")
    after = text[entry.end :].lstrip(" \t").removeprefix("\n")
    block = text[entry.start : entry.end]
    if _TOKEN.findall(block) == _TOKEN.findall(_config(entry.name)):
        return before + after
    newline = "" if before.endswith("\n") else "\n"
    lines = [f"  # gone: {line.strip()}\n" for line in block.splitlines()]
    return before + newline + "".join(lines) + after


def _entries(text: str, path: Path) -> list[_Entry]:
    """Parses the text and locates its entries, which protobuf does not."""
    try:
        parsed = text_format.Parse(
            text, _CLASSES["ModelServerConfig"](), allow_unknown_field=True
        )
    except text_format.ParseError as error:
        words = one_line(str(error).rpartition(": ")[2].rstrip("."), most=60)
        reason = f"{words}, in line {error.GetLine()}"
        raise _unreadable(path, reason) from error
    except RecursionError:
        raise _unreadable(path, "braces within braces without end") from None
    configs = parsed.model_config_list.config
    outside, blocks = _blocks(text)
    for word, _ in blocks:
        if word[0] != "config":
            line = text.count("\n", 0, word.start()) + 1
            found = one_line(word[0], most=60)
            raise _unreadable(path, f'"{found}" in line {line}')
    if outside != ["model_config_list"] or len(blocks) != len(configs):
        raise _unreadable(path, "there is something else in it")
    return [
        _Entry(word.start(), end, config.name, config.base_path)
        for (word, end), config in zip(blocks, configs, strict=True)
    ]


def _blocks(text: str) -> tuple[list[str], list[tuple[re.Match, int]]]:
    """Returns the words outside all braces, and the blocks of level 2.

    A block is the word before its `{` and the end of its `}`.
    """
    outside, blocks, opened, before = [], [], [], None
    for token in _tokens(text):
        if token[0] == "{":
            opened.append(before)
        elif token[0] == "}":
            word = opened.pop()
            if len(opened) == 1:
                blocks.append((word, token.end()))
        elif not opened:
            outside.append(token[0])
        before = token
    return outside, blocks


def _tokens(text: str) -> list[re.Match]:
    """Returns the tokens of protobuf's text format but comments."""
    return [m for m in _TOKEN.finditer(text) if not m[0].startswith("#")]


def _unreadable(path: Path, reason: str) -> ValueError:
    """Returns the error for a list that cannot be updated."""
    return ValueError(
        f"{path} is not a list model_config_list {{ config {{ ... }} ... }}: "
        f"{reason}; correct it, or move it away and a new one is written"
    )
