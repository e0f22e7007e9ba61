"""One walk through a folder, whatever is in it.

Each folder is listed once and each file is named once: symbolic links are
followed, but never to a folder that was entered before. Folders that cannot be
entered are kept with the reason rather than skipped.
"""

import dataclasses
import errno
import functools
import heapq
import os
from collections.abc import Iterator
from pathlib import Path

from tfds_adni.tables.spreadsheet import Sheet, SheetCache

# Of these there may be one for each subject, and a reader of their own.
_BIDS_TABLES = ("sub-", "participants.", "samples.")
_SKIPPED = (".git",)  # copies of the files beside it


@dataclasses.dataclass(frozen=True)
class Tree:
    """The files and folders below a folder.

    Attributes:
        root: The folder.
        files: Every visible regular file, in order of path.
        odd: Reason by path of each file that is hidden or not regular.
        closed: Reason by path of each folder that was not entered and of each
            broken link.
        sheets: Opens its tables.
    """

    root: Path
    files: tuple[Path, ...]
    odd: dict[Path, str]
    closed: dict[Path, str]
    sheets: SheetCache = dataclasses.field(repr=False, compare=False)

    @functools.cached_property
    def tables(self) -> tuple[Sheet, ...]:
        """Its tables in order of path, but for those of BIDS."""
        return tuple(
            self.sheets.open(path)
            for path in self.files_ending(".csv", ".tsv")
            if not path.name.startswith(_BIDS_TABLES)
        )

    def files_ending(self, *suffixes: str) -> Iterator[Path]:
        """Returns the files whose name ends in one of lower-case suffixes."""
        return (p for p in self.files if p.name.lower().endswith(suffixes))

    def parts(self, path: Path) -> tuple[str, ...]:
        """Returns the names in a path below the folder."""
        return path.parts[len(self.root.parts) :]


def walk(root: Path, *, sheets: SheetCache | None = None) -> Tree:
    """Lists a folder and everything below it.

    Args:
        root: A folder.
        sheets: Opens its tables; if `None`, each is read whole.

    Returns:
        Its files; the same folder gives the same order anywhere.
    """
    walker = _Walker(root)
    walker.run()
    return Tree(
        root,
        tuple(sorted(walker.files)),
        dict(sorted(walker.odd.items())),
        dict(sorted(walker.closed.items())),
        sheets or SheetCache(),
    )


class _Walker:
    """Enters folders before links, so that each is read under its own path.

    Args:
        root: The folder to start from.
    """

    def __init__(self, root: Path) -> None:
        self.files: list[Path] = []
        self.odd: dict[Path, str] = {}
        self.closed: dict[Path, str] = {}
        self._home = os.path.realpath(root)
        self._entered: set[tuple[int, int]] = set()
        # By path, links last: whether a link, path, whether hidden.
        self._queue = [(False, str(root), False)]

    def run(self) -> None:
        """Walks until no folder is left."""
        while self._queue:
            is_link, path, hidden = heapq.heappop(self._queue)
            try:
                reason = self._enter(is_link, path, hidden)
            except OSError as error:
                words = error.strerror or type(error).__name__
                reason = f"folder cannot be read ({words})"
            if reason:
                self.closed[Path(path)] = reason

    def _enter(self, is_link: bool, path: str, hidden: bool) -> str:
        """Lists one folder, or returns why it cannot be entered."""
        if is_link and self._home.startswith(
            os.path.join(os.path.realpath(path), "")
        ):
            return "symbolic link to a folder around the one given"
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        if identity in self._entered:
            return "symbolic link to a folder that is read already"
        self._entered.add(identity)
        with os.scandir(path) as entries:
            for entry in entries:
                self._add(entry, hidden or entry.name[0] == ".")
        return ""

    def _add(self, entry: os.DirEntry, hidden: bool) -> None:
        """Records a file, or notes a folder to enter later."""
        path = Path(entry.path)
        try:
            if entry.is_dir():
                if entry.name not in _SKIPPED:
                    folder = (entry.is_symlink(), entry.path, hidden)
                    heapq.heappush(self._queue, folder)
            elif hidden:
                self.odd[path] = "hidden (a name with a leading dot)"
            elif entry.is_file():
                self.files.append(path)
            elif entry.is_symlink():
                self.closed[path] = "symbolic link that leads nowhere"
            else:
                self.odd[path] = "not a regular file"
        except OSError as error:
            circular = error.errno == errno.ELOOP
            end = "in a circle" if circular else "that leads nowhere"
            self.closed[path] = f"symbolic link {end}"
