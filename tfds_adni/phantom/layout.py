"""How the IDA lays a download out: paths, names and the collection table."""

import csv
import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfds_adni.phantom.subjects import FIRST_RID, Subject, generator

DESCRIPTION = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"
TABLE = "Phantom_FDG_PET_6_01_2016.csv"
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
_VISITS = ("bl", "m12", "m24")
_MOST_VISITS = len(_VISITS)


@dataclass(frozen=True)
class Scan:
    """One visit of a subject, with its place in the download.

    Args:
        subject: Who.
        visit: Number of the visit, from 0.
        time: When the scan was acquired.
        image_id: The IDA's number of the image.
    """

    subject: Subject
    visit: int
    time: datetime.datetime
    image_id: int

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
        return (
            Path("ADNI", self.subject.ptid, name, folder)
            / f"I{self.image_id}"
            / file
        )

    @property
    def row(self) -> tuple[str, ...]:
        """The scan's row in the collection table."""
        subject, date = self.subject, self.time
        age = int(subject.age + subject.years[self.visit])
        return (
            f"I{self.image_id}",
            subject.ptid,
            _GROUPS[subject.stage],
            subject.sex,
            str(age),
            _VISITS[self.visit],
            "PET",
            DESCRIPTION,
            "Post-processed",
            f"{date.month}/{date.day:02d}/{date.year}",
            "NiFTI",
            "6/01/2016",
        )


def scans_of(subject: Subject, *, seed: int) -> list[Scan]:
    """The subject's visits as scans, the earliest first.

    Args:
        subject: Of the phantom.
        seed: Of the whole cohort.
    """
    rng = generator(seed, subject.rid, 9)
    day = datetime.datetime(2006, 1, 9) + datetime.timedelta(
        days=int(rng.integers(0, 7 * 365)),
        seconds=int(rng.integers(8 * 3600, 16 * 3600)),
    )
    first = 900_000 + _MOST_VISITS * (subject.rid - FIRST_RID)
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


def write_table(path: Path, scans: list[Scan]) -> None:
    """Writes the collection table as the IDA does, every value quoted.

    Args:
        path: CSV to write.
        scans: A row each.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(scan.row for scan in scans)
