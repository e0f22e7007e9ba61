"""The place where a data set is made: one maker at a time, nothing left over.

TFDS writes into a folder `incomplete...` beside the data set and renames it
when it is whole. What a killed process left there is removed by the next one.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None

_LEFTOVER = "incomplete."
_LOCK = ".preparing"
_CONFIG = ".config"


@contextlib.contextmanager
def claimed(home: Path) -> Iterator[Path]:
    """Claims the place of a data set while it is made.

    The claim is on all data sets of the same name in a `data_dir`, which have
    one split; it ends with the process, however that ends.

    Args:
        home: `<data_dir>/<name>/<config>/<version>`, not there yet.

    Yields:
        An empty folder for what TFDS wants to put elsewhere.

    Raises:
        FileExistsError: If another process makes a data set there.
    """
    sets = home.parent.parent
    new = [path for path in (sets, *sets.parents) if not path.exists()]
    sets.mkdir(parents=True, exist_ok=True)
    try:
        with _lock(sets):
            _sweep(home.parent)
            _sweep(sets / _CONFIG)
            scratch = home.parent / f"{_LEFTOVER}downloads"
            scratch.mkdir(parents=True)
            try:
                yield scratch
            finally:
                _sweep(home.parent)
                _tidy(home.parent)
    finally:
        for path in new:
            _remove_if_empty(path)


@contextlib.contextmanager
def _lock(sets: Path) -> Iterator[None]:
    """Holds a lock that the system takes back when the process ends."""
    if fcntl is None:  # pragma: no cover - not on Windows
        yield
        return
    path = sets / _LOCK
    while True:
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FileExistsError(
                    f"expected nobody else to prepare into {sets.parent}, "
                    "found another pet-dcgan prepare at work; wait for it or "
                    "choose another --data-dir"
                ) from None
            except OSError:  # a file system without locks
                pass
            # The last holder may have removed the file we opened.
            if not path.exists() or not os.path.samestat(
                os.fstat(file.fileno()), path.stat()
            ):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _sweep(folder: Path) -> None:
    """Removes what is incomplete."""
    for path in folder.glob(f"{_LEFTOVER}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _tidy(configuration: Path) -> None:
    """Removes folders that hold no data set."""
    _remove_if_empty(configuration)
    sets = configuration.parent
    others = [path for path in sets.iterdir() if not path.name.startswith(".")]
    if not others:
        shutil.rmtree(sets / _CONFIG, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    """Removes a folder that nothing is in."""
    with contextlib.suppress(OSError):
        folder.rmdir()
