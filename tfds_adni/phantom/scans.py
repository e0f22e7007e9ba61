"""The scans of a phantom cohort: files and rows as the IDA gives them."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni.phantom.render import Grid
from tfds_adni.phantom.subjects import DATES, FIRST_RID, Subject

DESCRIPTION = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"
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


@dataclass(frozen=True)
class Scan:
    """One visit of a subject.

    Args:
        subject: The subject scanned.
        visit: Number of the visit, from 0.
        time: When the scan was acquired.
        image_id: The IDA's number of the image.
    """

    subject: Subject
    visit: int
    time: datetime.datetime
    image_id: int

    @property
    def visit_code(self) -> str:
        """The visit as ADNI's tables name it."""
        months = 12 * self.subject.years[self.visit]
        return f"m{months:02d}" if months else "bl"

    @property
    def path(self) -> Path:
        """Path of the file inside the download."""
        name = DESCRIPTION.replace(" ", "_")
        folder = f"{self.time:%Y-%m-%d_%H_%M_%S}.0"
        stored = self.time + datetime.timedelta(days=1, milliseconds=111)
        stamp = f"{stored:%Y%m%d%H%M%S}{stored.microsecond // 1000:03d}"
        file = (
            f"ADNI_{self.subject.ptid}_PT_{name}_Br_{stamp}"
            f"_{8 + self.visit}_S{self.image_id + 21}_I{self.image_id}.nii"
        )
        image = f"I{self.image_id}"
        return Path("ADNI", self.subject.ptid, name, folder, image, file)

    @property
    def row(self) -> tuple[str, ...]:
        """The scan's row in the collection table."""
        subject, date = self.subject, self.time
        return (
            f"I{self.image_id}",
            subject.ptid,
            _GROUPS[subject.stage],
            subject.sex,
            str(int(subject.age + subject.years[self.visit])),
            self.visit_code,
            "PET",
            DESCRIPTION,
            "Post-processed",
            f"{date.month}/{date.day:02d}/{date.year}",
            "NiFTI",
            "6/01/2023",
        )


def scans_of(subject: Subject) -> list[Scan]:
    """Dates the visits of a subject.

    Args:
        subject: One of the cohort.

    Returns:
        A scan for each visit, the earliest first.
    """
    rng = subject.stream(DATES)
    day = datetime.datetime(2006, 1, 9) + datetime.timedelta(
        days=int(rng.integers(0, 7 * 365)),
        seconds=int(rng.integers(8 * 3600, 16 * 3600)),
    )
    first = 900_000 + MOST_VISITS * (subject.rid - FIRST_RID)
    late = np.cumsum(rng.integers(-20, 40, len(subject.years)))
    return [
        Scan(
            subject,
            visit,
            day + datetime.timedelta(days=365 * year + int(late[visit])),
            first + visit,
        )
        for visit, year in enumerate(subject.years)
    ]


def image_of(
    volume: np.ndarray, grid: Grid, *, qform_only: bool
) -> nib.Nifti1Image:
    """Makes the image as ADNI stores it: int16, slope, one frame, x flipped.

    In part of the real files the qform alone places the voxels.
    """
    slope = float(np.float32(volume.max() / 32767))
    stored = np.rint(volume[::-1, :, :, None] / slope).astype(np.int16)
    step = np.array([-1, 1, 1]) * grid.spacing
    affine = np.diag([*step, 1])
    affine[:3, 3] = -step * (np.array(grid.shape) - 1) / 2
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(slope, 0)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine, 1)
    image.set_sform(None if qform_only else affine, int(not qform_only))
    return image
