"""Locks: one process at a time works in a run, a study or a folder of models.

A folder's lock is the file `.lock` in it, see `lock_file`.
"""

import contextlib
import functools
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.utils.files import LOCK, require_writable
from pet_dcgan.utils.lock_file import held

# paths, processes (a fork has copies) and threads
_held: set[tuple[str, int, int]] = set()


def exclusive(
    command: str,
    argument: str,
    *,
    reading: bool = False,
    when: Callable[[Mapping[str, Any]], bool] = lambda arguments: True,
) -> Callable[[Callable], Callable]:
    """Decorates a function that works in a folder: others are kept out.

    Unless it only reads, it is tried first whether the folder and those in it
    can be written, so that hours of work do not end at their result.

    Args:
        command: Its name, as `"evaluate"`, for those who are kept out.
        argument: The argument that is the folder, or has it as its `path`.
        reading: Whether nothing is written; see `working_in`.
        when: Whether a call with these arguments works in the folder at all.
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            if not when(bound.arguments):
                return function(*args, **kwargs)
            given = bound.arguments[argument]
            folder = Path(getattr(given, "path", given))
            with working_in(folder, command, reading=reading):
                if not reading:
                    require_all_writable(folder)
                return function(*args, **kwargs)

        return wrapper

    return decorate


def require_all_writable(folder: Path) -> None:
    """Tries to write in a folder and in each folder in it.

    Raises:
        OSError: If one of them cannot be written.
    """
    inside = folder.iterdir() if folder.is_dir() else ()
    for each in (folder, *(path for path in inside if path.is_dir())):
        require_writable(each)


@contextlib.contextmanager
def working_in(
    folder: str | Path, command: str, *, reading: bool = False
) -> Iterator[None]:
    """Keeps other processes out of a folder, see `locked`.

    Args:
        folder: Made if it does not exist, and removed again if it is left
            empty.
        command: Its name, for those who are kept out.
        reading: Whether nothing is written.

    Raises:
        FileExistsError: If it is no folder.
    """
    folder = Path(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        raise FileExistsError(
            f"expected a folder at {folder}, or nothing, found a file or a "
            "broken link: choose another path"
        )
    new = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        with locked(folder / LOCK, command, reading=reading):
            yield
    finally:
        for path in new:
            with contextlib.suppress(OSError):  # only an empty one
                path.rmdir()


@contextlib.contextmanager
def locked(
    path: str | Path,
    command: str,
    *,
    place: str | Path | None = None,
    wait: bool = False,
    reading: bool = False,
) -> Iterator[None]:
    """Holds a lock file, which exists only while it is held.

    A thread that holds it already may take it again.

    Args:
        path: The file; its folder is made if it does not exist.
        command: Its name, for those who are kept out.
        place: What is locked, for the same; the file's folder by default.
        wait: Whether to wait for another holder.
        reading: Whether nothing is written: then a folder that may not be
            written, where no lock can be made, is read without one.

    Raises:
        BlockingIOError: If another process holds it and `wait` is False.
        FileExistsError: If something else lies in its place.
        OSError: If it cannot be made.
        PermissionError: If it is another user's.
    """
    path = Path(path)
    where = os.path.join(os.path.realpath(path.parent), path.name)
    key = where, os.getpid(), threading.get_ident()
    if key in _held:
        yield
        return
    place = path.parent if place is None else place
    with held(path, command, place=place, wait=wait, reading=reading):
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)


def move_lock(source: Path, target: Path) -> None:
    """Moves the lock that is held on a folder to the one that replaces it.

    Args:
        source: The folder, empty but for its lock.
        target: The new folder, still under another name.
    """
    with contextlib.suppress(FileNotFoundError):  # where nothing is locked
        (source / LOCK).rename(target / LOCK)


def is_free(folder: Path) -> bool:
    """Whether a path is not there, or a folder with nothing but its lock."""
    if not folder.is_dir():
        return not os.path.lexists(folder)
    return all(path.name == LOCK for path in folder.iterdir())
