"""One walk through a folder, which survives whatever lies there.

Each folder is listed once and each file named once: symbolic links are
followed, but never to a folder that is read already. What cannot be entered
is kept with its reason instead of being passed over.
"""

import dataclasses
import errno
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from tfds_adni.sources.spreadsheet import Sheet, SheetCache

_HIDDEN = "hidden (a name with a leading dot)"
_NO_FILE = "not a regular file"
_READ_ALREADY = "symbolic link to a folder that is read already"
_LEADS_OUT = "symbolic link to a folder around the one given"
_CIRCLE = "symbolic link in a circle"
_NOWHERE = "symbolic link that leads nowhere"
# Version control keeps copies of what lies outside it.
_PASSED_OVER = (".git",)


@dataclasses.dataclass(frozen=True)
class Tree:
    """What lies below a folder.

    Attributes:
        root: The folder.
        files: Every file that can be opened, as far as its name tells, in
            order of path.
        odd: Reason by path of each file that is hidden or no regular file.
        closed: Reason by path of each folder that was not entered and of each
            link that leads nowhere, which may have led to a folder.
        sheets: Opens its tables.
    """

    root: Path
    files: tuple[Path, ...]
    odd: dict[Path, str]
    closed: dict[Path, str]
    sheets: SheetCache = dataclasses.field(
        default_factory=SheetCache, repr=False, compare=False
    )

    @functools.cached_property
    def tables(self) -> tuple[Sheet, ...]:
        """Its CSV tables in order of path."""
        return tuple(self.sheets.open(p) for p in names_of(self, ".csv"))


def walk(root: Path, *, sheets: SheetCache | None = None) -> Tree:
    """Lists a folder and everything below it.

    Args:
        root: A folder.
        sheets: Opens its tables; all of each where `None`.

    Returns:
        What lies there; the same folder gives the same order anywhere.
    """
    walker = _Walker(root)
    walker.run()
    return Tree(
        root=root,
        files=tuple(sorted(map(Path, walker.files))),
        odd={Path(p): walker.odd[p] for p in sorted(walker.odd)},
        closed={Path(p): walker.closed[p] for p in sorted(walker.closed)},
        sheets=sheets or SheetCache(),
    )


class _Walker:
    """Folders first, then the links to folders, so that a link never wins.

    Args:
        root: The folder to start from.
    """

    def __init__(self, root: Path) -> None:
        self.files: list[str] = []
        self.odd: dict[str, str] = {}
        self.closed: dict[str, str] = {}
        self._home = os.path.realpath(root)
        self._folders = [(str(root), False)]
        self._links: list[tuple[str, bool]] = []
        self._entered: set[tuple[int, int]] = set()

    def run(self) -> None:
        """Walks until no folder is left."""
        while self._folders or self._links:
            if not self._folders:
                self._links.sort(reverse=True)
                path, hidden = self._links.pop()
                if self._surrounds(path):
                    self.closed[path] = _LEADS_OUT
                    continue
                self._folders.append((path, hidden))
            self._enter(*self._folders.pop())

    def _surrounds(self, path: str) -> bool:
        """Says whether a link leads to a folder that holds the root."""
        place = os.path.join(os.path.realpath(path), "")
        return self._home.startswith(place)

    def _enter(self, path: str, hidden: bool) -> None:
        """Lists one folder, unless it was listed before."""
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if identity in self._entered:
                self.closed[path] = _READ_ALREADY
                return
            self._entered.add(identity)
            with os.scandir(path) as entries:
                for entry in entries:
                    self._file_away(entry, hidden or entry.name[0] == ".")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.closed[path] = f"folder cannot be read ({reason})"

    def _file_away(self, entry: os.DirEntry, hidden: bool) -> None:
        """Puts one entry where it belongs."""
        try:
            if entry.is_dir():
                self._put_off(entry, hidden)
            elif hidden:
                self.odd[entry.path] = _HIDDEN
            elif entry.is_file():
                self.files.append(entry.path)
            elif entry.is_symlink():
                self.closed[entry.path] = _NOWHERE
            else:
                self.odd[entry.path] = _NO_FILE
        except OSError as error:
            circle = error.errno == errno.ELOOP
            self.closed[entry.path] = _CIRCLE if circle else _NOWHERE

    def _put_off(self, entry: os.DirEntry, hidden: bool) -> None:
        """Notes a folder to enter later."""
        if entry.name in _PASSED_OVER:
            return
        waiting = self._links if entry.is_symlink() else self._folders
        waiting.append((entry.path, hidden))


def parts_below(path: Path, root: Path) -> tuple[str, ...]:
    """Returns the names from a folder down to a path, the folder's left out.

    Names above the folder given say nothing about what lies in it.

    Args:
        path: Below the folder.
        root: The folder.
    """
    return path.parts[len(root.parts) :]


def names_of(tree: Tree, suffix: str) -> Iterator[Path]:
    """Returns the files whose name ends so, in any case of letters.

    Args:
        tree: What lies in the folder.
        suffix: The end of the name, in small letters.
    """
    return (p for p in tree.files if p.name.lower().endswith(suffix))
