"""Files and folders that are whole or absent, and locks for one process."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

_MARK = ".partial-"


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path that replaces `path` on success.

    The temporary file or folder lies beside `path`, keeps its suffixes, and
    is removed when the block raises (a full disk, Ctrl-C), so that what stood
    at `path` stays.

    Args:
        path: File to write or replace, or a folder that does not exist yet or
            is empty. Parents are made.

    Yields:
        A path that does not exist yet.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # keras goes by the suffix, so the mark of the unfinished comes first
    name = f"{_MARK}{uuid.uuid4().hex[:8]}.{path.name}"
    temporary = path.with_name(name)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        _remove(temporary)


def sweep(folder: str | Path) -> None:
    """Removes what killed processes left half-written, at any depth.

    Args:
        folder: Where nobody else is writing.
    """
    for leftover in list(Path(folder).rglob(f"{_MARK}*")):
        _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None


@contextlib.contextmanager
def locked(path: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Holds a lock file, which is there only while it is held.

    The system takes the lock back when its process ends, however that ends.
    Where a file system (or Windows) knows no locks, nothing is locked.

    Args:
        path: The file; its folder exists.
        wait: Whether to wait for whoever holds it.

    Raises:
        BlockingIOError: If another process holds it and `wait` is False.
    """
    if fcntl is None:  # pragma: no cover - not on Windows
        yield
        return
    path = Path(path)
    how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        with path.open("w") as file:
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                raise
            except OSError:  # a file system without locks
                pass
            # the last holder may have removed the file that was opened
            if not _same(file.fileno(), path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
