"""A lock file: who holds it is written in it, and the system keeps others out.

It exists while it is held. The system's own lock on it (flock) ends with its
process, even with `kill -9`, so a file that nobody has locked was left by a
process that has ended, and is replaced. Whatever else lies in its place is
left alone: no link is followed, nothing but an ordinary file is opened, and
no file that exists is written to or cut short.

`filelock` (4.3.1) does not say who the holder is, and leaves its file behind.
`pet_dcgan.utils` and `tfds_adni.parallel` have this file in the same words,
since neither package may import the other; a test compares them.
"""

import contextlib
import dataclasses
import errno
import os
import platform
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None

_RECORD = re.compile(rb"pet-dcgan ([a-z]{1,20}) ([0-9]{1,10}) ([!-~]{1,255})\n")
_MOST_BYTES = 400
_ATTEMPTS = 1000  # at a file that comes and goes
# O_NONBLOCK: the file may have become a pipe since it was looked at
_FLAGS = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
# what becomes of a file that was opened
_HELD, _NO_LOCKS, _GONE, _LEFT = "held", "no locks", "gone", "left"


@contextlib.contextmanager
def held(
    path: Path,
    command: str,
    *,
    place: str | Path,
    wait: bool = False,
    reading: bool = False,
) -> Iterator[None]:
    """Holds a lock file; a line on stderr says if a process had left one.

    On a file system or a Windows without locks nothing is locked, and no file
    is made.

    Args:
        path: The file; its folder is made if it does not exist.
        command: For those who are kept out: lower-case letters, as `"train"`.
        place: What is locked, for the same.
        wait: Whether to wait for another holder.
        reading: Whether nothing is written in the place: then one that may
            not be written, where no lock can be made, is read without.

    Raises:
        BlockingIOError: If another process holds it and `wait` is False.
        FileExistsError: If something else lies in its place.
        OSError: If it cannot be made.
        PermissionError: If it is another user's, or cannot be opened.
    """
    if fcntl is None:  # pragma: no cover - not on Windows
        yield
        return
    try:
        file, left = _acquire(path, place, wait=wait, reading=reading)
    except OSError as error:
        if not reading or error.errno not in _UNWRITABLE:
            raise
        yield
        return
    try:
        file.sign(command)
        if left:
            _say("took over the lock of a process that has ended")
        yield
    finally:
        file.release()


@dataclasses.dataclass(frozen=True)
class _LockFile:
    """A lock file, open.

    Attributes:
        path: Where it was opened.
        descriptor: Its descriptor, `None` where nothing is locked.
        new: Whether it was made here, to be removed in the end.
        writable: Whether it was opened to be written.
    """

    path: Path
    descriptor: int | None = None
    new: bool = False
    writable: bool = False

    def lock(self, *, wait: bool) -> bool:
        """Locks it; False on a file system without locks."""
        # one that is only read can keep others out, and no more (NFS)
        how = fcntl.LOCK_EX if self.writable else fcntl.LOCK_SH
        try:
            fcntl.flock(self.descriptor, how | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:
            return False
        return True

    def in_place(self) -> bool:
        """Whether it is still the file at its path."""
        try:
            there = self.path.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(self.descriptor), there)

    def sign(self, command: str) -> None:
        """Writes who holds it, if it was made here."""
        if not self.new:
            return
        machine = platform.node() or "?"
        record = f"pet-dcgan {command} {os.getpid()} {machine}\n"
        with contextlib.suppress(OSError):  # on a full disk, unsigned
            os.write(self.descriptor, record.encode("ascii", "replace"))

    def record(self) -> bytes:
        """What is written in it."""
        return os.pread(self.descriptor, _MOST_BYTES, 0)

    def holder(self) -> str:
        """Who holds it, as ` train (process 12 on this machine)`."""
        found = _RECORD.fullmatch(self.record())
        if not found:  # not signed yet, or not by us
            return ""
        command, process, machine = (part.decode() for part in found.groups())
        where = "this machine" if machine == platform.node() else machine
        return f" {command} (process {process} on {where})"

    def remove_left(self) -> str:
        """Removes it, which its process has left.

        Returns:
            `_LEFT`, or `_GONE` if that process had not even signed.
        """
        owner = os.fstat(self.descriptor).st_uid
        if not self.writable or owner != os.geteuid():
            raise PermissionError(_not_own(self.path))
        record = self.record()
        if record and not _RECORD.fullmatch(record):
            raise FileExistsError(_no_lock(self.path, "another file"))
        self.path.unlink()
        return _LEFT if record else _GONE

    def release(self) -> None:
        """Removes it, if it was made here, and gives the lock back."""
        if self.descriptor is None:
            return
        with contextlib.suppress(OSError):
            if self.new and self.in_place():
                self.path.unlink()
        os.close(self.descriptor)


def _acquire(
    path: Path, place: str | Path, *, wait: bool, reading: bool
) -> tuple[_LockFile, bool]:
    """A file that is held, and whether another one was left in its place."""
    left = False
    for _ in range(_ATTEMPTS):
        try:
            file = _open(path)
        except FileNotFoundError:
            continue
        try:
            state = _settle(file, place, wait=wait, reading=reading)
        except BaseException:
            os.close(file.descriptor)
            raise
        if state == _HELD:
            return file, left
        os.close(file.descriptor)
        if state == _NO_LOCKS:
            return _LockFile(path), False
        left = left or state == _LEFT
    raise FileNotFoundError(
        f"cannot make the lock {path}: its folder comes and goes, or was "
        "removed"
    )


def _open(path: Path) -> _LockFile:
    """Makes the file, or opens the one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, flags, 0o666)
        return _LockFile(path, descriptor, new=True, writable=True)
    _require_ordinary(path, path.lstat())
    for mode in (os.O_RDWR, os.O_RDONLY):
        try:
            descriptor = os.open(path, mode | _FLAGS)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            continue
        # it may have been replaced since
        try:
            _require_ordinary(path, os.fstat(descriptor))
        except FileExistsError:
            os.close(descriptor)
            raise
        return _LockFile(path, descriptor, writable=mode == os.O_RDWR)
    raise PermissionError(_not_own(path))


def _settle(
    file: _LockFile, place: str | Path, *, wait: bool, reading: bool
) -> str:
    """Locks an open file, and says what has become of it."""
    try:
        locks = file.lock(wait=wait)
    except BlockingIOError:
        raise BlockingIOError(
            f"another pet-dcgan{file.holder()} is working in {place}: wait "
            "for it, or stop it first"
        ) from None
    if not locks:
        if file.new:
            file.path.unlink(missing_ok=True)
        return _NO_LOCKS
    # its last holder may have removed the file that was opened
    if not file.in_place():
        return _GONE
    if file.new:
        return _HELD
    try:
        return file.remove_left()
    except PermissionError:
        if not reading:
            raise
        return _HELD  # nobody is at work there, and that is enough


def _require_ordinary(path: Path, found: os.stat_result) -> None:
    """Refuses what is no file of its own."""
    kind = ""
    if stat.S_ISLNK(found.st_mode):
        kind = "a symbolic link"
    elif stat.S_ISDIR(found.st_mode):
        kind = "a folder"
    elif not stat.S_ISREG(found.st_mode):
        kind = "a device, a pipe or a socket"
    elif found.st_nlink > 1:
        kind = "a hard link to another file"
    if kind:
        raise FileExistsError(_no_lock(path, kind))


def _no_lock(path: Path, kind: str) -> str:
    """What is wrong with something in a lock's place."""
    return (
        f"expected a lock of pet-dcgan at {path}, or nothing, found {kind}: "
        "remove it or move it away"
    )


def _not_own(path: Path) -> str:
    """What is wrong with a lock that cannot be taken over."""
    other = " of another user" * (path.lstat().st_uid != os.geteuid())
    return (
        f"cannot open the lock {path}{other}: if no pet-dcgan is at work "
        "there, remove it"
    )


def _say(line: str) -> None:
    """Prints a status line."""
    with contextlib.suppress(OSError, ValueError):
        print(f"pet-dcgan: {line}", file=sys.stderr, flush=True)
