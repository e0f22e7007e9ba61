"""Files and folders that are written whole or not at all."""

import contextlib
import glob
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

LOCK = ".lock"
_MARK = ".partial-"
_ASIDE = ".previous."


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path that replaces `path` on success.

    The temporary file or folder lies beside `path`, keeps its suffixes, and
    is removed when the block raises (a full disk, Ctrl-C), so that an earlier
    `path` stays as it was.

    Args:
        path: File to write or replace, or a folder that does not exist yet or
            is empty. Parents are made.

    Yields:
        A path that does not exist yet.

    Raises:
        FileExistsError: If `path` is a device, a pipe or a socket.
    """
    path = Path(path)
    _require_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras goes by the suffix, so the mark comes first
    name = f"{_MARK}{uuid.uuid4().hex[:8]}.{path.name}"
    temporary = path.with_name(name)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        _remove(temporary)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yields a new folder that takes the place of `path` on success.

    Files of both never stand side by side. There is no portable call that
    exchanges two folders: the earlier one is moved aside, the new one to its
    place, and then the earlier one is removed. A process that is killed
    between those leaves no `path`, and `restore` moves the earlier one back;
    what it had half-written goes, too.

    Args:
        path: Folder to write or replace with all that is in it. Parents are
            made.

    Yields:
        An empty folder beside `path`.
    """
    path = Path(path)
    restore(path)
    try:
        with replacing(path) as temporary:
            temporary.mkdir()
            yield temporary
            if os.path.lexists(path):
                os.replace(path, _aside(path))
    finally:
        restore(path)


def restore(path: str | Path) -> None:
    """Ends what a killed `replacing_folder` began, and removes its new folder.

    Args:
        path: The folder, which no other process is replacing.
    """
    path = Path(path)
    sweep_beside(path)
    if os.path.lexists(path):
        _remove(_aside(path))
        return
    with contextlib.suppress(FileNotFoundError):
        os.replace(_aside(path), path)


def _aside(path: Path) -> Path:
    """Where the earlier folder is while a new one takes its place."""
    return path.with_name(f"{_ASIDE}{path.name}")


def sweep(folder: str | Path) -> None:
    """Removes what killed processes left half-written, at any depth.

    Folders in it that are locked, such as a run in a study, are passed over:
    another process may be at work there.

    Args:
        folder: A folder that no other process is writing to.
    """
    for place, folders, names in os.walk(folder):
        if LOCK in names and place != os.fspath(folder):
            folders.clear()
            continue
        for name in (*folders, *names):
            if name.startswith(_MARK):
                _remove(Path(place, name))
        folders[:] = [each for each in folders if not each.startswith(_MARK)]


def require_writable(folder: str | Path) -> None:
    """Tries to write to a folder, before work whose result goes there.

    Args:
        folder: It may not be there yet; then the next one above it is tried.

    Raises:
        OSError: If it cannot be written, or is no folder.
    """
    folder = Path(folder).absolute()
    there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    try:
        with tempfile.TemporaryFile(dir=there, prefix=_MARK) as file:
            file.write(b"0")
    except OSError as error:
        # not the name that the file would have had
        raise OSError(error.errno, os.strerror(error.errno), there) from None


def require_file_place(path: Path) -> None:
    """Tries whether `replacing` could write a file, before the work for it.

    Raises:
        FileExistsError: If something else than a file is there.
        OSError: If its folder cannot be written.
    """
    _require_replaceable(path)
    if path.is_dir():
        raise FileExistsError(
            f"expected a file at {path}, or nothing, found a folder: choose "
            "another path"
        )
    require_writable(path.parent)


def sweep_beside(path: Path) -> None:
    """Removes what killed processes left of a file or folder itself.

    Args:
        path: What `replacing` was given; no other process is writing it.
    """
    name = glob.escape(path.name)
    for leftover in list(path.parent.glob(f"{_MARK}????????.{name}")):
        _remove(leftover)


def _require_replaceable(path: Path) -> None:
    """Refuses what is neither file nor folder, such as `/dev/null`."""
    try:
        mode = path.lstat().st_mode
    except OSError:  # not there, or said better when it is written
        return
    if not any(
        is_kind(mode) for is_kind in (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    ):
        raise FileExistsError(
            f"expected a file at {path}, or nothing, found a device, a pipe "
            "or a socket: choose another path"
        )


def _remove(path: Path) -> None:
    """Removes a file or folder that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
