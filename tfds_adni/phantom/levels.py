"""ADNI's processing levels: what each has of a scan, and what it is called.

Each level is simulated by itself, with noise of its own; that of "raw" and
"averaged" is not the same noise, only the same head in the same scanner.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.imaging import ADNI_GRID, Grid, Pose
from tfds_adni.phantom.scanners import FRAMES, Acquisition

UNIFORM = "uniform_8mm"


@dataclass(frozen=True)
class Level:
    """One of ADNI's processing levels.

    Args:
        name: Short name.
        description: The IDA's.
        frames: Frames of five minutes, or one of all.
        native: Whether it is on the scanner's grid, in its counts.
        moved: Whether the frames are as the head lay in each.
        uniform: Whether ADNI's kernel brought it to 8 mm.
    """

    name: str
    description: str
    frames: int = 1
    native: bool = False
    moved: bool = False
    uniform: bool = False

    def grid(self, acquisition: Acquisition, standard: Grid) -> Grid:
        """The grid of a scan's image.

        Args:
            acquisition: What the scan has of its own.
            standard: The grid of the standardised levels; where it is coarser
                than ADNI's, the scanner's is no finer.
        """
        if not self.native:
            return standard
        own = acquisition.scanner.grid
        if standard.steps.max() <= ADNI_GRID.steps.max():
            return own
        steps = np.maximum(own.steps, standard.steps)
        shape = np.rint(own.shape * own.steps / steps)
        return Grid(tuple(map(int, shape)), tuple(map(float, steps)))

    def pose(self, acquisition: Acquisition, frame: int) -> Pose:
        """How the head lies in a frame.

        Args:
            acquisition: What the scan has of its own.
            frame: Number of the frame, from 0.
        """
        if not self.native:
            return acquisition.pose
        return acquisition.frames[frame if self.moved else 0]

    def resolution(self, acquisition: Acquisition) -> tuple[float, ...]:
        """FWHM along x, y and z, in mm.

        Args:
            acquisition: What the scan has of its own.
        """
        across, along = acquisition.resolution
        return self._blurred(acquisition, (across, across, along))

    def colour(self, acquisition: Acquisition) -> tuple[float, ...]:
        """FWHM of the noise's kernel along x, y and z, in mm.

        Args:
            acquisition: What the scan has of its own.
        """
        own = acquisition.scanner.colour_mm
        return self._blurred(acquisition, (own, own, own))

    def noise_cv(self, acquisition: Acquisition) -> float:
        """Coefficient of variation of one frame in grey matter.

        A kernel of FWHM s takes noise of kernel c down by c / sqrt(c^2 + s^2)
        along each axis.

        Args:
            acquisition: What the scan has of its own.
        """
        ratio = acquisition.scanner.colour_mm / np.array(
            self.colour(acquisition)
        )
        frames = np.sqrt(self.frames)
        return float(acquisition.noise_cv * frames * ratio.prod())

    def _blurred(self, acquisition, own) -> tuple[float, ...]:
        """Adds ADNI's kernel where the level has it."""
        if not self.uniform:
            return own
        across, along = acquisition.scanner.kernel
        kernel = (across, across, along)
        return tuple(float(each) for each in np.hypot(own, kernel))


LEVELS = {
    level.name: level
    for level in (
        Level(
            "raw",
            "ADNI Brain PET: Raw FDG",
            frames=FRAMES,
            native=True,
            moved=True,
        ),
        Level("dynamic", "Co-registered Dynamic", frames=FRAMES, native=True),
        Level("averaged", "Co-registered, Averaged", native=True),
        Level("standardised", "Coreg, Avg, Standardized Image and Voxel Size"),
        Level(
            UNIFORM,
            "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution",
            uniform=True,
        ),
    )
}


def check_levels(levels: Iterable[str]) -> None:
    """Refuses names of levels that are none, or given twice.

    Args:
        levels: Their names.

    Raises:
        ValueError: If there is none, or one is unknown or given twice.
    """
    levels = list(levels)
    twice = [name for name in dict.fromkeys(levels) if levels.count(name) > 1]
    unknown = [str(name) for name in levels if name not in LEVELS]
    if unknown or not levels:
        raise ValueError(
            f"expected levels among {', '.join(LEVELS)}, found "
            f"{', '.join(unknown) or 'none'}: name only these"
        )
    if twice:
        raise ValueError(
            f"expected each level once, found {twice[0]} more than once: "
            "name it once"
        )
