"""What a source knows of one scan before anybody opens it."""

import dataclasses
import re
from pathlib import Path

# Site, `_S_`, then four digits, five from ADNI4 on.
SUBJECT_PATTERN = re.compile(r"(?<!\d)(\d{3}_S_\d{4,5})(?!\d)")


@dataclasses.dataclass(frozen=True)
class Label:
    """What a source's own table says of a subject's diagnosis.

    Attributes:
        text: The cell as it stands, such as `LMCI`; never empty.
        source: The table: `"collection CSV Group"`, `"XML DX Group"`,
            `"sessions.tsv"` or `"participants.tsv"`.
    """

    text: str
    source: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanRecord:
    """One scan: its files and what the tables say of it.

    Every image file found is in exactly one record. A record that has a
    problem may stand for something else that hides images: a folder that
    cannot be read, a zip that is not unpacked.

    Attributes:
        paths: The image files, several where a raw scan has one for each
            frame; the `.hdr` stands for an Analyze pair.
        subject: Subject id, such as `999_S_9001`; of a BIDS data set that is
            not ADNI's, `sub-` and the label; `""` where unknown.
        image_id: Image id of the IDA without its leading I, such as `900015`;
            in BIDS the file's name without its extension. Of several records
            with one image id one at most may be used. `""` where unknown.
        visit: Visit code as the table has it, `""` where unknown.
        date: Acquisition date, ISO (`2012-05-05`), `""` where unknown.
        description: The series description of the table or of the file name.
        tracer: Where the source itself names it, else `""`: read the
            description.
        level: Processing level where the source itself names it, one of
            `descriptions.LEVELS`, else `""`: read the description.
        labels: What the source's own tables say of the diagnosis, the most
            specific first.
        age: Years at the scan, -1 where unknown.
        sex: `"F"`, `"M"` or `""`.
        problem: Why the source cannot vouch for this scan, `""` where it can.
        unlisted: Why the source's tables, which there are, do not label it;
            another table may. `""` where they do or there is none.
        rank: Place among the copies of one image, from 0; the first whose
            header is sound is the one to use.
        copy: Why it is not used where one before it is; empty at rank 0.
    """

    paths: tuple[Path, ...]
    subject: str
    image_id: str
    visit: str = ""
    date: str = ""
    description: str = ""
    tracer: str = ""
    level: str = ""
    labels: tuple[Label, ...] = ()
    age: float = -1.0
    sex: str = ""
    problem: str = ""
    unlisted: str = ""
    rank: int = 0
    copy: str = ""
