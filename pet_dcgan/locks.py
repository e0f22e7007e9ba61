"""One process at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

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
