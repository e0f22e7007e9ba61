"""The list of models that a model server reads: `models.config`.

The text form of TensorFlow Serving's `ModelServerConfig`
(tensorflow_serving/config/model_server_config.proto). It lies inside the
folder of models, so that one read-only mount holds all that is served and a
replaced file is seen by a server that polls it.
"""

import dataclasses
import itertools
import re
from pathlib import Path

from pet_dcgan.serving.model_info import complete_versions
from pet_dcgan.utils.files import replacing

FILE_NAME = "models.config"
MOUNT = "/models"

_NEW = """\
# What a model server serves from this folder (--model_config_file).
# `pet-dcgan export` adds the models that lie here and takes out those that
# are gone; what you write beside that stays.
model_config_list {
}
"""
# protobuf's text format: comments, strings, brackets, words; : , ; say nothing
_TOKEN = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    r"""|[{}\[\]<>"']|[^\s{}\[\]<>"'#:,;]+"""
)
# what a URL of the REST interface can name
_SERVABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def update_models_config(
    models_dir: str | Path, *, served_from: str = MOUNT
) -> Path:
    """Keeps `<models_dir>/models.config` in step with the models there.

    A model that lies there and is not listed gets an entry; the entry of one
    that is gone is taken out, as a server does not start with it, and if
    someone had changed it, it stays as a comment. All else in the file stays
    as it is: comments, version policies, labels, models of other folders.
    The file is replaced whole or not at all, and not touched where nothing
    changes; the same models give the same bytes.

    Args:
        models_dir: Folder of all models, as `export/models`.
        served_from: Absolute path at which the server sees `models_dir`.

    Returns:
        Path of the file.

    Raises:
        ValueError: If the file there is none that a server could read.
    """
    path = Path(models_dir) / FILE_NAME
    root = served_from.rstrip("/")
    # once more after writing: another export may have come in between
    while (text := _updated(path, root)) is not None:
        with replacing(path) as file:
            file.write_text(text, encoding="utf-8")
    return path


@dataclasses.dataclass(frozen=True)
class _Entry:
    """One `config { ... }`: where it stands in the text and what it names."""

    start: int
    end: int
    name: str
    base_path: str

    def folder(self, root: str) -> str | None:
        """Name of the model's folder, None if it lies elsewhere."""
        parent, _, folder = self.base_path.rstrip("/").rpartition("/")
        return folder if parent == root else None


def _updated(path: Path, root: str) -> str | None:
    """What the file should hold, None if it does."""
    old = _read(path) if path.is_file() else None
    text = _NEW if old is None else old
    here = _models(path.parent)
    for entry in reversed(_entries(text, path)[0]):
        folder = entry.folder(root)
        if folder is not None and folder not in here:
            text = _without(text, entry, root)
    listed = {entry.name for entry in _entries(text, path)[0]}
    for name in sorted(here - listed):
        text = _with(text, name, root, path)
    return None if text == old else text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, "bytes that are not UTF-8") from error


def _models(folder: Path) -> set[str]:
    """The folders that hold a version which a server could load."""
    return {
        entry.name
        for entry in folder.iterdir()
        if _SERVABLE.fullmatch(entry.name) and complete_versions(entry)
    }


def _config(name: str, root: str) -> str:
    return (
        "  config {\n"
        f'    name: "{name}"\n'
        f'    base_path: "{root}/{name}"\n'
        '    model_platform: "tensorflow"\n'
        "  }\n"
    )


def _with(text: str, name: str, root: str, path: Path) -> str:
    """The text with an entry, before the first of a later name."""
    entries, end = _entries(text, path)
    later = [one.start for one in entries if one.name > name]
    before = text[: min(later, default=end)].rstrip(" \t")
    after = text[len(before) :]
    newline = "" if before.endswith("\n") else "\n"
    return before + newline + _config(name, root) + after


def _without(text: str, entry: _Entry, root: str) -> str:
    """The text without an entry, or with a changed one as a comment."""
    before = text[: entry.start].rstrip(" \t")
    after = text[entry.end :].lstrip(" \t").removeprefix("\n")
    block = text[entry.start : entry.end]
    if _TOKEN.findall(block) == _TOKEN.findall(_config(entry.name, root)):
        return before + after
    newline = "" if before.endswith("\n") else "\n"
    lines = [f"  # gone: {line.strip()}\n" for line in block.splitlines()]
    return before + newline + "".join(lines) + after


def _entries(text: str, path: Path) -> tuple[list[_Entry], int]:
    """The entries, and the offset of the brace that closes their list."""
    tokens = [m for m in _TOKEN.finditer(text) if not m[0].startswith("#")]
    words = [match[0] for match in tokens]
    closing = _closing(words, 1)
    open_quote = {'"', "'"} & set(words)
    if (
        words[:2] != ["model_config_list", "{"]
        or closing != len(words) - 1
        or open_quote
    ):
        raise _unreadable(path, "something else")
    entries, at = [], 2
    while at < closing:
        last = _closing(words, at + 1)
        if words[at : at + 2] != ["config", "{"] or last is None:
            line = text.count("\n", 0, tokens[at].start()) + 1
            raise _unreadable(path, f"{words[at]!r} in line {line}")
        fields = dict(itertools.pairwise(words[at + 2 : last]))
        name, base = fields.get("name", ""), fields.get("base_path", "")
        entries.append(
            _Entry(
                tokens[at].start(), tokens[last].end(), name[1:-1], base[1:-1]
            )
        )
        at = last + 1
    return entries, tokens[closing].start()


def _closing(words: list[str], opening: int) -> int | None:
    """Index of the brace that closes the one at `opening`."""
    depth = 0
    for index in range(opening, len(words)):
        depth += (words[index] == "{") - (words[index] == "}")
        if depth <= 0:
            return index
    return None


def _unreadable(path: Path, found: str) -> ValueError:
    return ValueError(
        "expected model_config_list { config { ... } ... } in "
        f"{path}, found {found}: mend it, or move it away and a new one is "
        "written"
    )
