"""Files of TFRecords, walked through before TensorFlow reads them."""

import dataclasses
import os
from pathlib import Path

from pet_dcgan.utils.foreign_files import require_regular

# a length of 8 bytes and its checksum, the record, and its checksum
_HEADER, _CHECKSUM = 12, 4
_MOST_BYTES = 2**40


@dataclasses.dataclass(frozen=True)
class RecordFile:
    """A file of records.

    Args:
        path: Where it lies.
        records: How many there are in it.
    """

    path: Path
    records: int


def require_whole(file: RecordFile, *, most: int) -> None:
    """Refuses a file of more or fewer records, or of one that is too long.

    TensorFlow would take a file that ends between two records for a whole
    one, and would ask for as much memory as a record says it has.

    Args:
        file: The file.
        most: Bytes that a record may have.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is damaged; without a remedy.
    """
    found = os.stat(file.path)
    require_regular(file.path, found, most=_MOST_BYTES)
    place, count = 0, 0
    with file.path.open("rb", buffering=0) as stream:
        while place < found.st_size:
            stream.seek(place)
            header = stream.read(_HEADER)
            length = int.from_bytes(header[:8], "little")
            if len(header) < _HEADER or length > most:
                raise ValueError(
                    f"a record that is cut off or too long in {file.path.name}"
                )
            place += _HEADER + length + _CHECKSUM
            count += 1
    if place != found.st_size or count != file.records:
        raise ValueError(
            f"{count} records instead of {file.records} in {file.path.name}"
        )
