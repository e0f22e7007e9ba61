"""What a source knows of one scan before anybody opens it."""

import dataclasses
import re
from pathlib import Path

# Site, `_S_`, then four digits, five from ADNI4 on.
SUBJECT_PATTERN = re.compile(r"(?<!\d)(\d{3}_S_\d{4,5})(?!\d)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanRecord:
    """One scan: its files and what the tables say of it.

    Attributes:
        paths: The image files, several where a raw scan has one for each frame.
        subject: Subject id, such as `999_S_9001`.
        image_id: Image id without its leading I, such as `900015`.
        visit: Visit code as the table has it, `""` where unknown.
        date: Acquisition date, ISO (`2012-05-05`), `""` where unknown.
        description: The series description of the table or of the file name.
        group: The research group as the table has it, `""` where unknown.
        age: Years at the scan, -1 where unknown.
        sex: `"F"`, `"M"` or `""`.
        problem: Why the source cannot vouch for this scan, `""` where it can.
    """

    paths: tuple[Path, ...]
    subject: str
    image_id: str
    visit: str = ""
    date: str = ""
    description: str = ""
    group: str = ""
    age: float = -1.0
    sex: str = ""
    problem: str = ""
