"""One reader for each way a cohort comes; each gives scan records.

A reader is a function `read(folder) -> list[ScanRecord]` in a file of its own.
`read_folder` chooses among them by what lies in the folder.
"""

from pathlib import Path

from tfds_adni.sources import ida
from tfds_adni.sources.record import ScanRecord

__all__ = ["ScanRecord", "read_folder"]


def read_folder(folder: Path) -> list[ScanRecord]:
    """Reads a cohort from a folder, whichever way it came.

    Args:
        folder: An IDA download: image files anywhere below it and the
            collection CSV beside them.

    Returns:
        One record for each scan found, in order of subject, date and image id.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        NotADirectoryError: If it is a file.
        ValueError: If no table with the expected columns is found.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(
            f"expected a folder of PET scans, found nothing at {folder}; "
            "give the folder the LONI zip was unpacked into, or make a "
            f"phantom with: pet-dcgan phantom {folder}"
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"expected a folder of PET scans, found a file at {folder}; "
            "unpack the download and give its folder"
        )
    return ida.read(folder)
