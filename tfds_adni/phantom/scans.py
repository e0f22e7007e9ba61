"""The scans of a phantom cohort: files and rows as the IDA gives them."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID, Grid
from tfds_adni.phantom.levels import LEVELS, UNIFORM
from tfds_adni.phantom.render import frames_of
from tfds_adni.phantom.scanners import acquire
from tfds_adni.phantom.subjects import DATES, FIRST_RID, Subject

COLUMNS = (
    "Image Data ID",
    "Subject",
    "Group",
    "Sex",
    "Age",
    "Visit",
    "Modality",
    "Description",
    "Type",
    "Acq Date",
    "Format",
    "Downloaded",
)
_GROUPS = {"NC": "CN", "MCI": "MCI", "AD": "AD"}
MOST_VISITS = 10
# Of the first subject's images of each level: far enough apart for 90,000.
_FIRST_IDS = {
    "raw": 2_000_000,
    "dynamic": 4_000_000,
    "averaged": 5_000_000,
    "standardised": 6_000_000,
    UNIFORM: 900_000,
}
_FRAME_TIME = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Scan:
    """One level of one visit of a subject.

    Args:
        subject: The subject scanned.
        visit: Number of the visit, from 0.
        time: When the scan was acquired.
        level: ADNI's processing level, one of `LEVELS`.
    """

    subject: Subject
    visit: int
    time: datetime.datetime
    level: str = UNIFORM

    @property
    def image_id(self) -> int:
        """The IDA's number of the image."""
        return self._image_id(self.level)

    @property
    def raw_id(self) -> int:
        """The IDA's number of the raw image of the visit."""
        return self._image_id("raw")

    def _image_id(self, level: str) -> int:
        """The number of the visit's image at a level."""
        person = self.subject.rid - FIRST_RID
        return _FIRST_IDS[level] + MOST_VISITS * person + self.visit

    @property
    def visit_code(self) -> str:
        """The visit as ADNI's tables name it."""
        months = 12 * self.subject.years[self.visit]
        return f"m{months:02d}" if months else "bl"

    @property
    def paths(self) -> tuple[Path, ...]:
        """Paths of its files inside the download, one for each raw frame."""
        which = LEVELS[self.level]
        name = re.sub("[ :]", "_", which.description)
        step = "br_raw" if which.moved else "Br"
        folder = f"{self.time:%Y-%m-%d_%H_%M_%S}.0"
        image = f"I{self.image_id}"
        place = Path("ADNI", self.subject.ptid, name, folder, image)
        stored = self.time + datetime.timedelta(days=1, milliseconds=111)
        files = []
        for frame in range(which.frames if which.moved else 1):
            at = stored + frame * _FRAME_TIME
            stamp = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"
            number = frame + 1 if which.moved else 8 + self.visit
            files.append(
                place / f"ADNI_{self.subject.ptid}_PT_{name}_{step}_{stamp}"
                f"_{number}_S{self.image_id + 21}_{image}.nii"
            )
        return tuple(files)

    @property
    def path(self) -> Path:
        """Path of its first file inside the download."""
        return self.paths[0]

    @property
    def row(self) -> tuple[str, ...]:
        """The scan's row in the collection table."""
        subject, date, which = self.subject, self.time, LEVELS[self.level]
        return (
            f"I{self.image_id}",
            subject.ptid,
            _GROUPS[subject.stage],
            subject.sex,
            str(int(subject.age + subject.years[self.visit])),
            self.visit_code,
            "PET",
            which.description,
            "Original" if which.moved else "Post-processed",
            f"{date.month}/{date.day:02d}/{date.year}",
            "NiFTI",
            "6/01/2023",
        )


def scans_of(
    subject: Subject, levels: Sequence[str] = (UNIFORM,)
) -> list[Scan]:
    """Dates the visits of a subject.

    Args:
        subject: One of the cohort.
        levels: The levels of each visit, among `LEVELS`.

    Returns:
        A scan for each visit and level, the earliest and least processed
        first.
    """
    rng = subject.stream(DATES)
    day = datetime.datetime(2006, 1, 9) + datetime.timedelta(
        days=int(rng.integers(0, 7 * 365)),
        seconds=int(rng.integers(8 * 3600, 16 * 3600)),
    )
    late = np.cumsum(rng.integers(-20, 40, len(subject.years)))
    return [
        Scan(
            subject,
            visit,
            day + datetime.timedelta(days=365 * year + int(late[visit])),
            level,
        )
        for visit, year in enumerate(subject.years)
        for level in LEVELS
        if level in levels
    ]


def write_scan(scan: Scan, folder: Path, *, grid: Grid = ADNI_GRID) -> None:
    """Renders a scan and saves its files.

    Args:
        scan: One level of a visit.
        folder: The download, which `scan.paths` are inside of.
        grid: The grid of the standardised levels.
    """
    which, subject = LEVELS[scan.level], scan.subject
    frames = frames_of(
        subject,
        build_anatomy(float(grid.steps[0])),
        level=scan.level,
        visit=scan.visit,
        grid=grid,
    )
    own = which.grid(acquire(subject, scan.visit), grid)
    if not which.moved:
        frames = [np.stack(list(frames), axis=3)]
    for path, frame in zip(scan.paths, frames, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        image = image_of(frame, own, qform_only=subject.rid % 2 == 1)
        nib.save(image, folder / path)


def image_of(
    volume: np.ndarray, grid: Grid, *, qform_only: bool
) -> nib.Nifti1Image:
    """Makes the image as ADNI stores it: int16 with a slope, x flipped.

    In part of the real files the qform alone places the voxels.

    Args:
        volume: `(x, y, z)`, or `(x, y, z, frames)`.
        grid: Its grid.
        qform_only: Whether the sform is left out.
    """
    slope = float(np.float32(volume.max() / 32767))
    stored = np.rint(volume[::-1] / slope).astype(np.int16)
    step = grid.steps * [-1, 1, 1]
    affine = np.diag([*step, 1])
    affine[:3, 3] = -step * (np.array(grid.shape) - 1) / 2
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(slope, 0)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine, 1)
    image.set_sform(None if qform_only else affine, int(not qform_only))
    return image
