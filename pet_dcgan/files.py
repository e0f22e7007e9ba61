"""Files and folders that are whole or absent."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

_MARK = ".partial-"


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path that takes the place of `path` on success.

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
