"""What else lies in a download: links, other formats, other tables.

Each function adds one thing to a tree whose scans are written. `listed` says
whether the download has a collection CSV.
"""

from datetime import date
from pathlib import Path

import tree_ida
import tree_images
from tree_plan import new_scan, shifted


def _scan(tree, rng, subject: str, **known):
    """Plans a sound scan of a subject of its own."""
    scan = new_scan(
        rng,
        sound=True,
        **{
            "subject": subject,
            "image_id": str(next(tree.spare_ids)),
            "visit": "bl",
            "date": "2011-03-05",
            "group": "MCI",
            "passed": True,
            "level": "uniform_8mm",
            "tracer": "FDG",
        }
        | known,
    )
    tree.scans.append(scan)
    return scan


def unlisted(tree, rng, rows, listed) -> None:
    """An image that the collection does not have."""
    scan = _scan(tree, rng, "999_S_9500")
    tree_ida.write_scan(tree, rng, scan, "", "leaf")
    scan.faults |= {"unlisted"} if listed else set()
    # a table of diagnoses could tell the stage all the same
    scan.doubtful = listed and bool(tree.selection["diagnosis"])


def no_id(tree, rng, rows, listed) -> None:
    for name in ("mystery", "999_S_9501_brain", "PI900"):
        path = tree_images.write(tree.folder / "odd" / name, "nii")
        tree.loose[tree.name(path)] = "id"


def dicom(tree, rng, rows, listed) -> None:
    """A series that was downloaded as DICOM."""
    scan = _scan(tree, rng, "999_S_9502")
    folder = tree.folder / tree_ida.leaf(scan, "", f"I{scan.image_id}")
    folder.mkdir(parents=True)
    for number in range(3):
        path = folder / f"{tree_ida.file_name(scan, number)}.dcm"
        path.write_bytes(bytes(128) + b"DICM" + bytes(20))
        tree.loose[tree.name(path)] = "dicom"
    tree.scans.remove(scan)
    if listed:
        rows.append(tree_ida.cells(scan) | {"format": "DCM"})


def ecat(tree, rng, rows, listed) -> None:
    path = tree.folder / "raw" / "999_S_9503_I900999.v"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"MATRIX72v" + bytes(600))
    tree.loose[tree.name(path)] = "ecat"


def magnetic_resonance(tree, rng, rows, listed) -> None:
    """An MR scan of the same collection."""
    if not listed:
        return
    scan = _scan(tree, rng, "999_S_9504")
    words = "MPR__GradWarp__B1_Correction__N3__Scaled"
    stem = Path("ADNI", scan.subject, words, "2011-03-05_10_00_00.0", "S77")
    name = f"ADNI_{scan.subject}_MR_{words}_Br_2012_S77_I{scan.image_id}"
    path = tree_images.write(tree.folder / stem / name, "nii")
    tree.loose[tree.name(path)] = "modality"
    tree.scans.remove(scan)
    other = {"modality": "MRI", "description": "MPR; GradWarp; B1; N3; Scaled"}
    rows.append(tree_ida.cells(scan) | other)


def ungraded(tree, rng, rows, listed) -> None:
    """A scan that the tables of quality control do not have."""
    if listed:
        scan = _scan(tree, rng, "999_S_9508", passed=None)
        tree_ida.write_scan(tree, rng, scan, "")
        tree_ida.list_scan(scan, rows)


def two_groups(tree, rng, rows, listed) -> None:
    """A scan that two collections put into two groups."""
    if listed:
        scan = _scan(tree, rng, "999_S_9511", group="CN")
        tree_ida.write_scan(tree, rng, scan, "")
        for scan.group in ("CN", "AD"):
            tree_ida.list_scan(scan, rows)


def other_subject(tree, rng, rows, listed) -> None:
    """A scan that lies among those of another subject than the table says."""
    if listed:
        scan = _scan(tree, rng, "999_S_9509")
        tree_ida.write_scan(tree, rng, scan, "", "leaf")
        scan.faults.add("two subjects")
        tree_ida.list_scan(scan, rows, subject="999_S_9510")


def rescan(tree, rng, rows, listed) -> None:
    """A second acquisition of the same visit, three days later."""
    if not listed:
        return
    first = _scan(tree, rng, "999_S_9505")
    later = shifted(date.fromisoformat(first.date), 3)
    for scan in (first, _scan(tree, rng, first.subject, date=later)):
        tree_ida.write_scan(tree, rng, scan, "rescan")
        tree_ida.list_scan(scan, rows)


def loops(tree, rng, rows, listed) -> None:
    """Links of folders that lead back."""
    (tree.folder / "links").mkdir()
    for name, target in (
        ("links/up", ".."),
        ("links/itself", "itself"),
        ("all", tree.folder),
        ("around", tree.folder.parent),
    ):
        (tree.folder / name).symlink_to(target)
        tree.loose[name] = "link"


def linked_folder(tree, rng, rows, listed) -> None:
    """Scans that lie elsewhere, behind a link."""
    if not listed:
        return
    scan = _scan(tree, rng, "999_S_9506")
    elsewhere = tree.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (tree.folder / "linked").symlink_to(elsewhere)
    tree_ida.write_scan(tree, rng, scan, "linked")
    tree_ida.list_scan(scan, rows)


def apple_doubles(tree, rng, rows, listed) -> None:
    """What a Mac puts into zips."""
    for scan in tree.scans[:3]:
        path = tree.folder / scan.paths[0]
        double = path.with_name(f"._{path.name}")
        double.write_bytes(b"\x00\x05\x16\x07" + bytes(100))
        tree.optional.add(tree.name(double))
    (tree.folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")


def other_files(tree, rng, rows, listed) -> None:
    """Tables of other kinds, files that are no tables, empty folders."""
    folder = tree.folder / "other"
    (folder / "ADNI/999_S_9507/Raw/2011-01-01_00_00_00.0/I900777").mkdir(
        parents=True
    )
    tables = {
        "search.csv": b'"Subject ID","Sex","Age","Description","Type"\n',
        "PET_META_LIST.csv": b"Subject,Sequence,Image ID\n999_S_9001,x,1\n",
        "CLIELG.csv": b"RID,DIAGNOSIS\n9001,5\n9002,4\n",
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 4,
        "latin.csv": "Name,Städte\nMüller,Zürich\n".encode("latin-1"),
        "ragged.csv": b'a,b\n1,2,3\n"unclosed,4\n',
        "README.txt": b"hello",
        "broken.xml": b"<idaxs><project>",
        "other.xml": b"<a/>",
        "empty.xml": b"",
        "table.xlsx": b"PK\x03\x04",
    }
    for name, content in tables.items():
        (folder / name).write_bytes(content)


EXTRAS = {
    function.__name__: function
    for function in (
        unlisted,
        no_id,
        dicom,
        ecat,
        magnetic_resonance,
        ungraded,
        two_groups,
        other_subject,
        rescan,
        loops,
        linked_folder,
        apple_doubles,
        other_files,
    )
}
