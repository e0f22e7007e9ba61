"""Files and folders that are written whole or not at all, and file locks."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None

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
    """
    path = Path(path)
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
    between those leaves no `path`, and `restore` moves the earlier one back.

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
    """Ends what a killed `replacing_folder` began.

    Args:
        path: The folder, which no other process is replacing.
    """
    path = Path(path)
    if os.path.lexists(path):
        _remove(_aside(path))
        return
    with contextlib.suppress(FileNotFoundError):
        os.replace(_aside(path), path)


def _aside(path: Path) -> Path:
    """Where the earlier folder is while a new one takes its place."""
    return path.with_name(f"{_ASIDE}{path.name}")


def sweep(folder: str | Path, *, deep: bool = True) -> None:
    """Removes what killed processes left half-written.

    Args:
        folder: A folder that no other process is writing to.
        deep: Whether to look into its folders, at any depth.
    """
    found = Path(folder).rglob if deep else Path(folder).glob
    for leftover in list(found(f"{_MARK}*")):
        _remove(leftover)


@contextlib.contextmanager
def locked(path: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Holds a lock file, which exists only while it is held.

    The system releases the lock when its process ends, even if it is killed.
    A file system (or Windows) without locks locks nothing. This is not
    `filelock`, which leaves its file behind.

    Args:
        path: The file, not a symbolic link; its folder exists.
        wait: Whether to wait for another holder.

    Raises:
        BlockingIOError: If another process holds it and `wait` is False.
    """
    if fcntl is None:  # pragma: no cover - not on Windows
        yield
        return
    path, how = Path(path), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o666), "r+b") as file:
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                raise
            except OSError:  # a file system without locks
                pass
            # the last holder may have removed the file that was opened
            if not _is_at(path, file.fileno()):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    """Removes a file or folder that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
