"""What headers leave open, from the file to the user's terminal."""

import gzip
import io
import json
from pathlib import Path

import ida_tree
import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from tfds_adni import Reading, Selection, survey
from tfds_adni.cohort.display import warnings_of
from tfds_adni.cohort.selection import ScanDecision, decide
from tfds_adni.parallel.examples import SliceSpec, Task, make_examples
from tfds_adni.sources import Label, ScanRecord
from tfds_adni.sources.timing import FrameTiming
from tfds_adni.volumes import frames, orientation
from tfds_adni.volumes.masks import mask_mean
from tfds_adni.volumes.volume import load_volume

FLAGS = [
    value
    for module in (frames, orientation)
    for name, value in vars(module).items()
    if name.isupper() and not name.startswith("_")
]
SPEC = SliceSpec(
    planes=("axial",),
    size=32,
    spacing_mm=6.0,
    bands_mm={"axial": (0.0, 36.0)},
    suvr_max=2.5,
)


def cohort_of(root, write):
    """A download of three scans whose files `write` has made."""
    rows = [ida_tree.row(n, group) for n, group in ((1, "CN"), (2, "AD"))]
    ida_tree.write_csv(root, rows)
    for row in rows:
        path = ida_tree.image_path(root, row)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, ida_tree.head().astype(np.float32))
    return root


def analyze(path, data):
    """Stored left to right, with a hot corner at the right."""
    data = data.copy()
    data[24:27, 18:21, 12:15] *= 2.2
    affine = np.diag([*[ida_tree.SPACING] * 3, 1])
    nib.save(nib.AnalyzeImage(data, affine), path.with_suffix(".img"))


def hottest(task):
    """Column of the hottest pixel of all slices."""
    outcome, made = make_examples(task)
    assert not outcome.reason
    images = [
        np.asarray(Image.open(io.BytesIO(example["image"])))
        for _, example in made
    ]
    peak = max(images, key=np.max)
    return np.unravel_index(peak.argmax(), peak.shape)[1]


def test_analyze_that_is_stored_left_to_right(tmp_path):
    root = cohort_of(tmp_path, analyze)
    for flip, words in (
        (False, "2 scans do not say where left and right are (Analyze"),
        (True, "2 scans do not say where left and right are: they are read as"),
    ):
        reading = Reading(flip_left_right=flip)
        cohort = survey(root, reading=reading)
        (line,) = cohort.warnings
        assert line.startswith(words)
        assert "--flip-left-right" in line
        task = Task(decision=cohort.used[0], spec=SPEC, reading=reading)
        assert (hottest(task) > SPEC.size / 2) == flip


def test_a_flip_without_effect(tmp_path):
    root = ida_tree.write_tree(tmp_path, [ida_tree.row(1, "CN")])
    cohort = survey(root, reading=Reading(flip_left_right=True))
    assert cohort.warnings == (
        "--flip-left-right has no effect: every scan used says itself where "
        "left and right are",
    )


def test_a_mask_is_flipped_with_its_scan(tmp_path):
    data = np.ones((10, 11, 12), np.float32)
    data[7:, :, :] = 3
    mask = (data == 3).astype(np.uint8)
    for name, voxels in (("scan", data), ("mask", mask)):
        image = nib.AnalyzeImage(voxels, np.diag([6, 6, 6, 1]))
        nib.save(image, tmp_path / f"{name}.img")
    for flip in (False, True):
        reading = Reading(flip_left_right=flip)
        volume = load_volume([tmp_path / "scan.hdr"], reading=reading)
        assert mask_mean(tmp_path / "mask.hdr", volume, volume.data) == 3


def test_scripts_affines_are_refused_and_named(tmp_path):
    def write(path, data):
        nib.save(nib.Nifti1Image(data, np.eye(4)), path)

    cohort = survey(cohort_of(tmp_path, write))
    ((kind, stages),) = cohort.summary().items()
    assert kind == (
        "identity affine, as scripts write it (voxel size, left and right are "
        "not known)"
    )
    assert stages.total() == 2


def test_wrong_packings_are_used(tmp_path):
    written = []

    def write(path, data):
        ida_tree.save_las(data, path)
        plain = path.read_bytes()
        path.unlink()
        forms = {".nii": gzip.compress(plain), ".nii.gz": plain}
        suffix = list(forms)[len(written)]
        written.append(path.with_suffix(suffix))
        written[-1].write_bytes(forms[suffix])

    cohort = survey(cohort_of(tmp_path, write))
    assert sorted(d.record.paths[0] for d in cohort.used) == sorted(written)


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_has_one_warning(flag):
    record = ScanRecord(paths=(Path("a.nii"),), subject="s", image_id="1")
    used = [
        ScanDecision(
            record=record, stage="NC", tracer="FDG", level="raw", flags=flags
        )
        for flags in (frozenset([flag]), frozenset())
    ]
    (line,) = warnings_of(used, Selection(visits="all"), {"s": "NC"})
    assert line.startswith("1 scan ")
    assert "\n" not in line


def test_early_frames_and_their_window(tmp_path):
    path = tmp_path / "sub-01_trc-18FFDG_pet.nii.gz"
    data = np.random.default_rng(0).random((10, 10, 10, 2), np.float32)
    nib.save(nib.Nifti1Image(data, ida_tree.las_affine()), path)
    record = ScanRecord(
        paths=(path,),
        subject="sub-01",
        image_id=path.name,
        tracer="FDG",
        labels=(Label("CN", "participants.tsv"),),
        timing=FrameTiming((0, 2400), (2400, 1200)),
    )
    early = decide(record, Selection())
    assert (early.reason, early.flags) == ("", {frames.EARLY})
    late = Reading(window=(2400, 3600))
    assert decide(record, Selection(), reading=late).flags == frozenset()
    none = Reading(window=(4000, 5000))
    reason = decide(record, Selection(), reading=none).reason
    assert reason.startswith("no frame within --window: ")


def test_flags_are_counted_in_the_metadata(tmp_path):
    rows = ida_tree.cohort_rows(3)
    ida_tree.write_csv(tmp_path / "scans", rows)
    for row in rows:
        path = ida_tree.image_path(tmp_path / "scans", row)
        path.parent.mkdir(parents=True)
        affine = np.diag([*[ida_tree.SPACING] * 3, 1])
        head = ida_tree.head().astype(np.float32)
        nib.save(nib.AnalyzeImage(head, affine), path.with_suffix(".img"))
    words = [
        *("prepare", tmp_path / "scans", "--data-dir", tmp_path / "d"),
        *("--config", "axial_64", "--jobs", 1, "--flip-left-right"),
    ]
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    (metadata,) = tmp_path.glob("d/adni/axial_64/*/metadata.json")
    facts = json.loads(metadata.read_text())
    assert facts["flags"] == {"flipped_left_right": 9}
    assert facts["reading"]["flip_left_right"] is True
