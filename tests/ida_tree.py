"""Writes tiny IDA downloads: round heads with a bright shell, no anatomy.

Grid of 40 x 40 x 24 voxels of 6 mm, so 240 x 240 x 144 mm as ADNI's own.
"""

import csv
from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (40, 40, 24)
SPACING = 6.0
DESCRIPTION = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"


def put(root: Path, *names: str, **contents: bytes) -> None:
    """Writes files below a folder, those without content empty."""
    for name, content in (dict.fromkeys(names, b"") | contents).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def head(seed: int = 0) -> np.ndarray:
    """An ellipsoid brain of SUVR about 1, brighter outside, in RAS.

    A bright spot lies on the right, at the front, high up.
    """
    axes = [(np.arange(n) - n / 2 + 0.5) * SPACING for n in SHAPE]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 84) ** 2 + (z / 60) ** 2)
    rng = np.random.default_rng(seed)
    brain = np.where(radius < 0.7, 0.7, 1.3) * (radius < 1)
    spot = np.exp(-((x - 35) ** 2 + (y - 40) ** 2 + (z - 20) ** 2) / 200)
    noise = rng.normal(0, 0.02, SHAPE)
    return ((brain + spot * (radius < 1)) + noise * (radius < 1)).astype("f4")


def las_affine() -> np.ndarray:
    """The affine of a volume stored with x to the left."""
    affine = np.diag([-SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = [SPACING * SHAPE[0] / 2, -SPACING * SHAPE[1] / 2, -72]
    return affine


def save_las(volume: np.ndarray, path: Path, scale: float = 5000) -> None:
    """Writes a RAS volume as int16 with a slope, x flipped, one frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(volume[::-1, :, :, None] * scale, las_affine())
    image.set_data_dtype(np.int16)
    nib.save(image, path)


def image_path(root: Path, row: dict[str, str]) -> Path:
    """The place of a scan in an IDA tree."""
    words = row["Description"].replace(" ", "_")
    number = row["Image Data ID"].lstrip("I")
    subject = row["Subject"]
    month, day, year = map(int, row["Acq Date"].split("/"))
    return (
        root
        / f"ADNI/{subject}/{words}/{year}-{month:02}-{day:02}_09_08_07.0"
        / f"I{number}"
        / f"ADNI_{subject}_PT_{words}_Br_20120506101112131_8_S1_I{number}.nii"
    )


def row(number: int, group: str, **other: str) -> dict[str, str]:
    """A row of the collection CSV; subject and image id from a number."""
    return {
        "Image Data ID": f"I{900000 + number}",
        "Subject": f"999_S_{9000 + number}",
        "Group": group,
        "Sex": "F" if number % 2 else "M",
        "Age": "71",
        "Visit": "bl",
        "Modality": "PET",
        "Description": DESCRIPTION,
        "Type": "Processed",
        "Acq Date": "5/5/2012",
        "Format": "NiFTI",
        "Downloaded": "",
    } | other


def visit(number: int, name: str, group: str = "CN") -> dict[str, str]:
    """A row of a later visit, a year after the one before."""
    year = {"bl": 2012, "m12": 2013, "m24": 2014}[name]
    known = {"Image Data ID": f"I{number}{year}", "Acq Date": f"5/5/{year}"}
    return row(number, group, Visit=name, **known)


def write_csv(root: Path, rows: list[dict[str, str]]) -> None:
    """Writes the collection CSV."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "collection_5_05_2012.csv").open("w", newline="") as file:
        header = list(row(0, ""))
        writer = csv.DictWriter(file, header, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


# The image it was made from has an id too.
_XML = """<?xml version="1.0" encoding="UTF-8"?>
<idaxs xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><project><subject>
<subjectIdentifier>{Subject}</subjectIdentifier>
<researchGroup>Patient</researchGroup><subjectSex>{Sex}</subjectSex>
<subjectInfo item="DX Group">{Group}</subjectInfo>
<visit><visitIdentifier>{Visit}</visitIdentifier></visit>
<study><subjectAge>{age}</subjectAge><series><modality>PET</modality>
<dateAcquired>{date} 09:08:07.0</dateAcquired><seriesLevelMeta>
<derivedProduct><imageUID>{number}</imageUID>
<processedDataLabel>{Description}</processedDataLabel></derivedProduct>
<relatedImageDetail><originalRelatedImage><imageUID>900000</imageUID>
<protocolTerm><protocol term="Radiopharmaceutical">{tracer}</protocol>
</protocolTerm></originalRelatedImage></relatedImageDetail></seriesLevelMeta>
</series></study></subject></project></idaxs>
"""


def xml(row: dict[str, str], *, age: str, tracer: str) -> str:
    """The XML file of a processed image; the row's date may be ISO."""
    date = row["Acq Date"]
    if "/" in date:
        month, day, year = map(int, date.split("/"))
        date = f"{year}-{month:02}-{day:02}"
    number = row["Image Data ID"].lstrip("I")
    return _XML.format(**row, age=age, tracer=tracer, date=date, number=number)


def write_xml(
    root: Path, row: dict[str, str], *, age: str = "", tracer: str = ""
) -> None:
    """Writes the XML file of a processed image beside the subjects."""
    name = f"ADNI_{row['Subject']}_S1_{row['Image Data ID']}.xml"
    put(root, **{f"ADNI/{name}": xml(row, age=age, tracer=tracer).encode()})


def write_tree(root: Path, rows: list[dict[str, str]]) -> Path:
    """Writes a whole download: the table and a head for each row."""
    write_csv(root, rows)
    for number, line in enumerate(rows):
        save_las(head(number), image_path(root, line))
    return root


def cohort_rows(subjects: int = 4) -> list[dict[str, str]]:
    """Rows of a cohort with so many subjects of each stage."""
    return [
        row(1 + index + 100 * code, group)
        for code, group in enumerate(("CN", "MCI", "AD"))
        for index in range(subjects)
    ]
