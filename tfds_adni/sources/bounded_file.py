"""A file that a library reads for us, with a bound on what it reads.

Libraries read as many bytes as a size in the file tells them to, all at once.
"""

import os
from typing import BinaryIO

# Bytes that each reading counts for besides, so that a million empty pieces
# are too many as well.
_READ_COST = 64


class TooMuchError(ValueError):
    """A file asks for more bytes than are read of it."""


class BoundedFile:
    """A file of which only so many bytes are read, whatever its content says.

    Args:
        file: Open for reading.
        most: Bytes that are read in all; bytes skipped do not count.
        to_end: Whether all that is left may be asked for at once.

    Raises:
        TooMuchError: On reading more.
    """

    def __init__(
        self, file: BinaryIO, most: int, *, to_end: bool = True
    ) -> None:
        self._file = file
        self._left = most
        self._to_end = to_end

    @property
    def name(self) -> str:
        """The path of the file."""
        return self._file.name

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes, fewer at the end.

        Args:
            size: In bytes; below 0 for all that is left.

        Raises:
            TooMuchError: If that is more than may be read.
        """
        if size < 0 and self._to_end:
            size = max(self._left, 0)
        if not 0 <= size <= self._left:
            raise TooMuchError("it asks for more bytes than are read of a file")
        found = self._file.read(size)
        self._left -= len(found) + _READ_COST
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place.

        Args:
            offset: In bytes.
            whence: Where it counts from, as for any file.
        """
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Returns the place."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Whether it can go to any place: it can."""
        return True

    def close(self) -> None:
        """Does nothing; who has opened the file closes it."""
