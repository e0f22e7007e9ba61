"""Reading of packed bytes, with a bound on the work for what comes out.

A few kilobytes can unpack to gigabytes or, as members and blocks without any
content, to hours of work for nothing. Nothing is unpacked here before it is
asked for, and what is read for it is bounded by what has come out so far.
"""

import bz2
import importlib
import io
import os
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from tfds_adni.volumes.orientation import VolumeError

# What packs at all makes a file smaller, or larger by a percent.
_MOST_PACKED = 2  # packed bytes for each byte unpacked
# More than any block of gzip, bzip2 (900 kB) or zstd, or the names in a header.
_FREE_BYTES = 2**22
# The work on each member; a member of blocked gzip holds up to 64 KiB.
_MEMBER_COST = 2**12
_BLOCK = 2**16
_MOST_AT_ONCE = 2**20
# Python 3.14 has the first; the others read the same format.
_ZSTD = ("compression.zstd", "backports.zstd", "pyzstd")
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_ZSTD_MARK = b"\x28\xb5\x2f\xfd"
# Frames without content, which zstd skips; the first byte differs.
_ZSTD_SKIPPED = b"\x2a\x4d\x18"


def opened(file: BinaryIO) -> BinaryIO | None:
    """Opens the next layer of a file that may be packed.

    Args:
        file: At its beginning, where it stays.

    Returns:
        A file to read and to skip forward in, `None` where it is not packed.

    Raises:
        VolumeError: If zstd needs a package that is not there. On reading:
            if packed bytes hold next to nothing.
        EOFError, OSError: On reading, if it is damaged.
    """
    start = file.read(len(_ZSTD_MARK))
    file.seek(0)
    for mark, find in _UNPACKERS.items():
        if start.startswith(mark):
            return io.BufferedReader(_Unpacked(file, mark, find()))
    return None


class _Unpacked(io.RawIOBase):
    """The content of all members of a packed file, one after another.

    Args:
        file: The packed file, at its beginning.
        mark: What each of its members begins with.
        unpacker: Makes what unpacks one member.
    """

    def __init__(
        self, file: BinaryIO, mark: bytes, unpacker: Callable[[], Any]
    ) -> None:
        self._file, self._mark, self._new = file, mark, unpacker
        self._member = unpacker()
        self._packed = b""
        self._made = self._spent = 0
        self._ended = False

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def seekable(self) -> bool:
        """Whether bytes can be skipped: forward only."""
        return True

    def tell(self) -> int:
        """Returns how many bytes were unpacked."""
        return self._made

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Skips forward, at most to the end."""
        target = offset + (self._made if whence == os.SEEK_CUR else 0)
        if target < self._made or whence == os.SEEK_END:
            raise io.UnsupportedOperation("packed files are read forward only")
        while target > self._made:
            if not self._unpack(target - self._made):
                break
        return self._made

    def readinto(self, buffer: memoryview) -> int:
        """Unpacks some bytes into a buffer, none at the end."""
        view = memoryview(buffer).cast("B")
        found = self._unpack(len(view))
        view[: len(found)] = found
        return len(found)

    def _unpack(self, most: int) -> bytes:
        """Returns the next bytes, none at the end."""
        most = min(most, _MOST_AT_ONCE)
        while most and not self._ended:
            if self._member.eof:
                self._ended = not self._next_member()
                continue
            try:
                found = self._member.decompress(self._packed, most)
            except zlib.error as error:  # Error -3 while ...: what is wrong
                reason = str(error).rpartition(": ")[2]
                raise OSError(f"damaged packed bytes: {reason}") from None
            self._packed = getattr(self._member, "unconsumed_tail", b"")
            if found:
                self._made += len(found)
                return found
            if not (self._member.eof or self._packed):
                self._packed = self._more()
                if not self._packed:
                    raise EOFError("the packed file ends before its content")
        return b""

    def _next_member(self) -> bool:
        """Begins the next member, if there is one."""
        rest = self._member.unused_data
        while True:
            if self._mark == _GZIP:  # tapes and block devices add zeros
                rest = rest.lstrip(b"\0")
            if len(rest) >= len(self._mark):
                break
            if not (more := self._more()):
                return False
            rest += more
        skipped = rest[1:4] == _ZSTD_SKIPPED and self._mark == _ZSTD_MARK
        if not (skipped or rest.startswith(self._mark)):
            if self._mark == _BZIP2:  # as bzip2 does
                return False
            raise OSError("something else follows the packed content")
        self._spend(_MEMBER_COST)
        self._member, self._packed = self._new(), rest
        return True

    def _more(self) -> bytes:
        """Reads packed bytes, none at the end of the file."""
        block = self._file.read(_BLOCK)
        self._spend(len(block))
        return block

    def _spend(self, cost: int) -> None:
        """Refuses to go on where work and content are out of proportion."""
        self._spent += cost
        if self._spent > _FREE_BYTES + _MOST_PACKED * self._made:
            raise VolumeError(
                f"packed without content: {self._spent / 2**20:.1f} MiB of "
                f"packed bytes and members hold {self._made} bytes; not an "
                "image; download it again"
            )


def _gzip_unpacker() -> Callable[[], Any]:
    return lambda: zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _bzip2_unpacker() -> Callable[[], Any]:
    return bz2.BZ2Decompressor


def _zstd_unpacker() -> Callable[[], Any]:
    """Returns the class that unpacks zstd, from whichever package has it."""
    for name in _ZSTD:
        try:
            return importlib.import_module(name).ZstdDecompressor
        except ImportError:
            continue
    raise VolumeError(
        "packed with zstd: reading it takes another package; pip install "
        "backports.zstd, or unpack it with unzstd"
    )


_UNPACKERS = {
    _GZIP: _gzip_unpacker,
    _BZIP2: _bzip2_unpacker,
    _ZSTD_MARK: _zstd_unpacker,
}
