"""The formats of files that records are written in."""

import importlib.util

TFRECORD, ARRAY_RECORD = FORMATS = ("tfrecord", "array_record")


def require_writable(file_format: str) -> None:
    """Refuses a format that is unknown, or that cannot be written here.

    Args:
        file_format: Its name, as TFDS has it.

    Raises:
        ImportError: If a package is missing that writes it.
        ValueError: If it is unknown.
    """
    if file_format not in FORMATS:
        raise ValueError(
            f"expected a file format of {', '.join(FORMATS)}, found "
            f"{file_format!r}: choose one of them"
        )
    if file_format == ARRAY_RECORD and not importlib.util.find_spec(
        ARRAY_RECORD
    ):
        raise ImportError(
            "expected the package array_record for this file format, found "
            "none: install it with pip install array_record, or write "
            "tfrecord where there is none (Windows)"
        )
