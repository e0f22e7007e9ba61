"""How the files of scans are read: what the user knows and no header says."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """The options of reading.

    Attributes:
        window: First and last second after injection of the frames that are
            averaged; `None` for all frames.
        flip_left_right: Whether files whose header cannot say where left is
            are stored from left to right; they are read from right to left
            otherwise.
        dicom_cache: The folder that NIfTI files converted from DICOM are kept
            in; `None` for the default one.
    """

    window: tuple[float, float] | None = None
    flip_left_right: bool = False
    dicom_cache: Path | None = None

    def facts(self) -> dict:
        """Returns the data set's metadata on it; no folder's name."""
        return {
            "window": list(self.window) if self.window else None,
            "flip_left_right": self.flip_left_right,
        }
