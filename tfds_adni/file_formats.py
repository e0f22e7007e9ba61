"""The formats of files that records are written in."""

import importlib

TFRECORD, ARRAY_RECORD = FORMATS = ("tfrecord", "array_record")


def require_writable(file_format: str) -> None:
    """Refuses a format that is unknown, or that cannot be written here.

    Args:
        file_format: Its name, as TFDS has it.

    Raises:
        ImportError: If the package that writes it is missing.
        ValueError: If it is unknown.
    """
    if file_format not in FORMATS:
        raise ValueError(
            f"expected a file format of {', '.join(FORMATS)}, found "
            f"{file_format!r}: choose one of them"
        )
    if file_format == ARRAY_RECORD:
        try:  # of old versions there is a wheel that no machine can import
            importlib.import_module("array_record.python.array_record_module")
        except ImportError as error:
            raise ImportError(
                f"expected array_record for its file format, found {error}: "
                'install it with: pip install "array_record>=0.5" (Linux and '
                "Macs of Apple silicon), or write tfrecord"
            ) from None
