"""Standard output and error that may be closed, full, or a broken pipe.

A training must not end because a line about it could not be printed. So what
cannot be written is dropped, and the command says it once it has ended.
"""

import io
import os
import select
import sys

_OUTPUT, _ERRORS = 1, 2


class _Raw(io.FileIO):
    """A descriptor; after its first error, all that is written is dropped."""

    error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Writes data, or drops it."""
        while self.error is None:
            try:
                written = super().write(data)
            except OSError as error:
                self.error = error
                break
            if written is not None:
                return written
            # not ready: another program has made it non-blocking
            select.select([], [self], [])
        return len(data)


class Streams:
    """Replaces `sys.stdout` and `sys.stderr` by ones that never raise."""

    def __init__(self) -> None:
        self._output, sys.stdout = _replaced(sys.stdout, _OUTPUT, os.O_RDONLY)
        # of processes that are started, too; they need not know
        _, sys.stderr = _replaced(sys.stderr, _ERRORS, os.O_WRONLY)

    def failure(self) -> str:
        """Why standard output could not be written, empty if it could."""
        sys.stdout.flush()
        error = self._output.error
        return "" if error is None else str(error.strerror)


def _replaced(
    stream: io.TextIOWrapper | None, number: int, mode: int
) -> tuple[_Raw, io.TextIOWrapper]:
    """A stream that never raises for one of the same descriptor.

    Args:
        stream: `None` where the process was started with it closed.
        number: Its descriptor.
        mode: How the null device is opened in its place; writing to one that
            is read is an error like that of a closed descriptor.
    """
    encoding, lines = "utf-8", False
    if stream is None:
        number = _opened_at(number, mode)
    else:
        stream.flush()
        encoding, lines = stream.encoding, stream.line_buffering
    raw = _Raw(number, "w", closefd=False)
    return raw, io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=lines or number == _ERRORS,
    )


def _opened_at(number: int, mode: int) -> int:
    """Opens the null device, at a descriptor if that is closed."""
    descriptor = os.open(os.devnull, mode)
    try:
        os.fstat(number)
    except OSError:
        os.dup2(descriptor, number)
    else:
        # Python has opened something else there
        return descriptor
    if descriptor != number:
        os.close(descriptor)
    return number
