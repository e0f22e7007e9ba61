"""What else lies in a download: links, other formats and tables, copies.

Each function adds one thing to a tree whose scans are written. `listed` says
whether the download has a collection CSV.
"""

import shutil
from datetime import date
from pathlib import Path

import tree_files
import tree_ida
from tree_plan import new_scan, shifted

# Forms of one file whose name ends in .nii.
_SINGLE = ("nii", "float", "big_endian", "singleton", "qform")


def _scan(tree, rng, subject: str, **known):
    """Plans a sound scan of a subject of its own."""
    base = {
        "image_id": str(next(tree.spare_ids)),
        "visit": "bl",
        "date": "2011-03-05",
        "group": "MCI",
        "passed": True,
        "level": "uniform_8mm",
    }
    tree.scans.append(new_scan(rng, subject=subject, **base | known))
    return tree.scans[-1]


def unlisted(tree, rng, rows, listed) -> None:
    """An image that the collection does not have."""
    scan = _scan(tree, rng, "999_S_9500")
    tree_ida.write_scan(tree, rng, scan, "", "leaf")
    scan.faults |= {"unlisted"} if listed else set()
    # a table of diagnoses could tell the stage all the same
    scan.doubtful = listed and bool(tree.selection["diagnosis"])


def other_images(tree, rng, rows, listed) -> None:
    """Images without an id, of another format, and a DICOM series."""
    for name in ("mystery", "999_S_9501_brain", "PI900"):
        path = tree_files.write_image(tree.folder / "odd" / name, "nii")
        tree.loose[tree.name(path)] = "id"
    path = tree.folder / "odd" / "999_S_9503_I900999.v"
    path.write_bytes(b"MATRIX72v" + bytes(600))
    tree.loose[tree.name(path)] = "ecat"
    scan = _scan(tree, rng, "999_S_9502")
    folder = tree.folder / tree_ida.leaf(scan, "", f"I{scan.image_id}")
    folder.mkdir(parents=True)
    for number in range(3):
        path = folder / f"{tree_ida.file_name(scan, number)}.dcm"
        path.write_bytes(bytes(128) + b"DICM" + bytes(20))
        tree.loose[tree.name(path)] = "dicom"
    tree.scans.remove(scan)
    rows += [tree_ida.cells(scan)] * listed


def magnetic_resonance(tree, rng, rows, listed) -> None:
    """An MR scan of the same collection."""
    if listed:
        scan = _scan(tree, rng, "999_S_9504")
        folder = Path("ADNI", scan.subject, "MPR", "2011-03-05_10_00_00.0")
        name = f"ADNI_{scan.subject}_MR_MPR_Br_2012_S77_I{scan.image_id}"
        path = tree_files.write_image(tree.folder / folder / name, "nii")
        tree.loose[tree.name(path)] = "modality"
        tree.scans.remove(scan)
        other = {"Modality": "MRI", "Description": "MPR; GradWarp"}
        rows.append(tree_ida.cells(scan) | other)


def odd_rows(tree, rng, rows, listed) -> None:
    """An ungraded scan, one in two groups, one of another subject's folder."""
    if listed:
        ungraded = _scan(tree, rng, "999_S_9508", passed=None)
        tree_ida.write_scan(tree, rng, ungraded, "")
        tree_ida.list_scan(ungraded, rows)
        scan = _scan(tree, rng, "999_S_9511", group="CN")
        tree_ida.write_scan(tree, rng, scan, "")
        for scan.group in ("CN", "AD"):
            tree_ida.list_scan(scan, rows)
        other = _scan(tree, rng, "999_S_9509")
        tree_ida.write_scan(tree, rng, other, "", "leaf")
        other.faults.add("two subjects")
        tree_ida.list_scan(other, rows, Subject="999_S_9510")


def rescan(tree, rng, rows, listed) -> None:
    """A second acquisition of the same visit, three days later."""
    if listed:
        first = _scan(tree, rng, "999_S_9505")
        later = shifted(date.fromisoformat(first.date), 3)
        for scan in (first, _scan(tree, rng, first.subject, date=later)):
            tree_ida.write_scan(tree, rng, scan, "rescan")
            tree_ida.list_scan(scan, rows)


def links(tree, rng, rows, listed) -> None:
    """Links that lead back, and scans that lie elsewhere, behind a link."""
    (tree.folder / "links").mkdir()
    for name, target in (
        ("links/up", ".."),
        ("links/itself", "itself"),
        ("all", tree.folder),
        ("around", tree.folder.parent),
    ):
        (tree.folder / name).symlink_to(target)
        tree.loose[name] = "link"
    if listed:
        scan = _scan(tree, rng, "999_S_9506")
        elsewhere = tree.folder.parent / "elsewhere"
        elsewhere.mkdir()
        (tree.folder / "linked").symlink_to(elsewhere)
        tree_ida.write_scan(tree, rng, scan, "linked")
        tree_ida.list_scan(scan, rows)


def other_files(tree, rng, rows, listed) -> None:
    """What a Mac puts into zips, other tables, files that are no tables."""
    for scan in tree.scans[:3]:
        path = tree.folder / scan.paths[0]
        double = path.with_name(f"._{path.name}")
        double.write_bytes(b"\x00\x05\x16\x07" + bytes(100))
        tree.optional.add(tree.name(double))
    folder = tree.folder / "other"
    (folder / "ADNI/999_S_9507/Raw/2011-01-01_00_00_00.0/I900777").mkdir(
        parents=True
    )
    files = {
        ".DS_Store": b"\x00\x00\x00\x01Bud1",
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
    for name, content in files.items():
        (folder / name).write_bytes(content)


EXTRAS = (
    *(unlisted, other_images, magnetic_resonance, odd_rows, rescan),
    *(links, other_files),
)
COPIES = (
    *("whole", "broken", "zipped", "zipped beside broken"),
    *("renamed", "half"),
)


def add_copy(tree, rng, kind: str) -> None:
    """Adds a copy of one sound scan of few files, if there is any.

    It comes out of another zip, whole or broken; was zipped in its place and
    kept, or unzipped until the disk was full; was renamed by a browser, a file
    manager or SPM; or is the voxels of a converted pair, their header gone.
    """
    scans = [
        scan
        for scan in tree.scans
        if not scan.faults
        and len(scan.paths) <= (4 if kind == "whole" else 1)
        and scan.form in _SINGLE
        and scan.labels  # of the others a copy elsewhere would tell less
        and not scan.copies + scan.broken
    ]
    if not scans:
        return
    scan = rng.choice(scans)
    name = scan.paths[0]
    path = tree.folder / name
    if kind == "whole":
        copies = [f"zip again/{path}" for path in scan.paths]
        for one, copy in zip(scan.paths, copies, strict=True):
            _copy(tree, one, copy)
        scan.copies.append(copies)
    elif kind == "broken":
        copy = f"{rng.choice(('A', 'zip'))} again/{name}"
        sound = path.read_bytes()
        damaged = rng.choice((sound[:100], bytes(len(sound) + 9)))
        _copy(tree, name, copy).write_bytes(damaged)
        scan.broken.append(copy)
    elif kind.startswith("zipped"):
        data = path.read_bytes()
        Path(f"{path}.gz").write_bytes(tree_files.zipped(data))
        if kind == "zipped":
            scan.copies.append([f"{name}.gz"])
        else:
            path.write_bytes(data[:1000])
            scan.broken.append(name)
            scan.paths[:] = [f"{name}.gz"]
    elif kind == "renamed":
        form = rng.choice(("{} (1)", "{} - Copy", "w{}", "{}_copy2"))
        copy = tree.name(path.with_stem(form.format(path.stem)))
        _copy(tree, name, copy)
        scan.copies.append([copy])
    else:
        path.with_suffix(".img").write_bytes(bytes(100))
        tree.loose[tree.name(path.with_suffix(".img"))] = "file"


def _copy(tree, path: str, copy: str) -> Path:
    """Copies a file within the tree."""
    target = tree.folder / copy
    target.parent.mkdir(parents=True, exist_ok=True)
    return shutil.copy(tree.folder / path, target)
