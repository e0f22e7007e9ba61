"""Files that may be damaged or hostile, read within bounds.

Whatever lies under a name (a folder, a pipe, a file without end, one of
another kind), the answer is the content or one ValueError.
"""

import os
import stat
from pathlib import Path


def read_bytes(path: Path, *, most: int) -> bytes:
    """The content of a regular file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is no regular file, cannot be read or is larger; in
            one line that ends without a remedy.
    """
    try:
        # a pipe without a writer would keep a plain `open` waiting
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:
            require_regular(path, os.fstat(file.fileno()), most=most)
            content = file.read(most + 1)
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:  # a file in place of its folder
        raise FileNotFoundError(*error.args, str(path)) from None
    except IsADirectoryError:
        raise ValueError(f"expected a file at {path}, found a folder") from None
    except OSError as error:
        raise ValueError(
            f"expected a file that can be read at {path}, found: "
            f"{error.strerror}"
        ) from None
    if len(content) > most:
        raise _too_large(path, most)
    return content


def require_regular(path: Path, found: os.stat_result, *, most: int) -> None:
    """Refuses what is no regular file, or one that is too large.

    Args:
        path: Where it lies, for the error.
        found: What `stat` says of it.
        most: Bytes that it may have.

    Raises:
        ValueError: If it is one of these.
    """
    if not stat.S_ISREG(found.st_mode):
        is_folder = stat.S_ISDIR(found.st_mode)
        kind = "a folder" if is_folder else "a device, a pipe or a socket"
        raise ValueError(f"expected a file at {path}, found {kind}")
    if found.st_size > most:
        raise _too_large(path, most)


def _too_large(path: Path, most: int) -> ValueError:
    return ValueError(f"expected at most {most:,} bytes in {path}, found more")
