"""A folder that one process makes, whole or not at all.

It is made beside its place, as a hidden folder that the system locks (flock)
while its process lives, and renamed in the end. The lock is on the folder
itself, so that no moment of a kill leaves more than that folder, and the next
process that makes the same removes it. A file system without locks, or
Windows, locks nothing.
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
else:
    _FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextlib.contextmanager
def claimed(out: str | os.PathLike) -> Iterator[Path]:
    """Keeps others from making a folder, and moves it to its place.

    Args:
        out: A new or an empty folder, or a link to one.

    Yields:
        An empty folder beside it, to be filled. It takes the place of `out`
        at the end of the block, and is removed if that raises.

    Raises:
        BlockingIOError: If another process makes it.
        FileExistsError: If it exists and is not an empty folder, or is inside
            of a file.
    """
    # "." has no name, and a link leads to the place
    out = Path(os.path.realpath(out))
    _require_free(out)
    new = [path for path in out.parents if not path.exists()]
    part = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _locked(part, out):
            try:
                _require_free(out)  # another may have made it since
                yield part
                if out.exists():
                    out.rmdir()
                part.rename(out)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    finally:
        for path in new:
            with contextlib.suppress(OSError):  # only an empty one
                path.rmdir()


def _require_free(out: Path) -> None:
    """Refuses a folder in use."""
    there = next(p for p in (out, *out.parents) if p.exists())
    file = not there.is_dir()
    if file or (there == out and any(out.iterdir())):
        found = f"the file {there}" if file else f"{out} with something in it"
        raise FileExistsError(
            f"expected a new or empty folder, found {found}: choose another "
            "folder or remove it"
        )


@contextlib.contextmanager
def _locked(part: Path, out: Path) -> Iterator[None]:
    """Makes and locks an empty folder, or one that a dead process left."""
    while True:
        part.mkdir(exist_ok=True)
        if fcntl is None:  # pragma: no cover - not on Windows
            _empty(part)
            yield
            return
        try:
            folder = os.open(part, _FLAGS)
        except FileNotFoundError:  # its last holder has just moved it
            continue
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BlockingIOError(
                    f"another pet-dcgan phantom is writing {out}: wait for it "
                    "or choose another folder"
                ) from None
            except OSError:  # a file system without locks
                pass
            # or since it was opened
            if not _is_at(part, folder):
                continue
            _empty(part)
            yield
            return
        finally:
            os.close(folder)


def _is_at(path: Path, folder: int) -> bool:
    """Whether an open folder is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(folder), path.lstat())
    except FileNotFoundError:
        return False


def _empty(folder: Path) -> None:
    """Removes everything in a folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
