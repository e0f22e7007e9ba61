"""Files and folders that are whole or absent."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


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
    name = f".partial-{uuid.uuid4().hex[:8]}.{path.name}"
    temporary = path.with_name(name)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
