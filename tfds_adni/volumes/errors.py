"""The error of a scan that cannot be used, also from a library's error."""


class VolumeError(ValueError):
    """A scan that cannot be used; the text says why, in one line.

    What differs from scan to scan stands after a colon, so that scans can be
    counted by what stands before it.
    """


def unreadable(what: str, error: BaseException) -> VolumeError:
    """Makes a `VolumeError` of what a library raised on a broken file.

    Args:
        what: `"header"` or `"data"`.
        error: What it raised; its first line is kept where it is short and
            names no path, which the account gives anyway.
    """
    text = getattr(error, "strerror", None) or str(error)
    # nibabel: `Expected 64 bytes, got 0 bytes from <path>`
    text = text.partition(" from ")[0]
    line = (text or type(error).__name__).splitlines()[0]
    if len(line) > 80 or "/" in line or "\\" in line:
        line = type(error).__name__
    return VolumeError(f"unreadable {what}: {line}")
