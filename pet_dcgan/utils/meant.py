"""What a wrong path may have meant, for the remedy of an error."""

import contextlib
import difflib
import itertools
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

_ABOVE = 4  # folders above that are looked at
_MOST = 1000  # entries of a folder
_NAMED = 3


def meant(path: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """Folders of the right kind near a path that is none.

    Args:
        path: What was given; it need not exist.
        wanted: Whether a folder is of the right kind.

    Returns:
        The folder above of which it is a part, or up to three inside it, or
        beside it, those of the most similar name.
    """
    for parent in itertools.islice(path.parents, _ABOVE):
        if wanted(parent):
            return [parent]
    inside = sorted(_entries(path))
    # one with hidden files alone was made for the lock that lies in it
    if path.is_dir() and not (inside and all(map(_is_hidden, inside))):
        return list(filter(wanted, inside))[:_NAMED]
    beside = {p.name: p for p in filter(wanted, _entries(path.parent))}
    names = difflib.get_close_matches(path.name, beside, _NAMED, 0.5)
    return [beside[name] for name in names or sorted(beside)[:_NAMED]]


def _is_hidden(path: Path) -> bool:
    """Whether a file or folder is one that `ls` leaves out."""
    return path.name.startswith(".")


def _entries(folder: Path) -> Iterator[Path]:
    """What lies in a folder; nothing where it cannot be read."""
    with contextlib.suppress(OSError):
        yield from itertools.islice(folder.iterdir(), _MOST)


def as_typed(*paths: Path | str) -> str:
    """Paths as a shell takes them, joined by "or".

    Args:
        *paths: One or more.
    """
    return " or ".join(shlex.quote(str(path)) for path in paths)
