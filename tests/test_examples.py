"""One scan to its examples, in this process and by Apache Beam."""

import dataclasses
import json
import sys

import ida_tree
import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf

from tfds_adni import Selection, prepare
from tfds_adni.cohort.selection import ScanDecision, decide
from tfds_adni.parallel import examples
from tfds_adni.parallel.beam import beam_examples, read_outcomes
from tfds_adni.parallel.examples import (
    Outcome,
    SliceSpec,
    Task,
    make_examples,
)
from tfds_adni.preparation import _beam_errors, _pipeline_options
from tfds_adni.sources import ScanRecord, read_folder
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import scale_to_suvr
from tfds_adni.volumes.sheet import grey_levels
from tfds_adni.volumes.slices import cut_slices, resample
from tfds_adni.volumes.volume import load_volume

SPEC = SliceSpec(
    planes=("axial", "sagittal"),
    size=32,
    spacing_mm=6.0,
    bands_mm={"axial": (0.0, 36.0), "sagittal": (-48.0, 0.0)},
    suvr_max=2.5,
)


@pytest.fixture
def task(tmp_path):
    ida_tree.save_las(ida_tree.head(), tmp_path / "a.nii")
    record = ScanRecord(
        paths=(tmp_path / "a.nii",),
        subject="999_S_9001",
        image_id="900001",
        visit="m12",
        date="2012-05-05",
        age=71.5,
        sex="F",
    )
    decision = ScanDecision(
        record=record, stage="AD", tracer="FDG", level="unknown"
    )
    return Task(decision=decision, spec=SPEC)


def pixels(png):
    return tf.io.decode_png(png, dtype=tf.uint16).numpy()[..., 0]


def first_slice(task):
    """SUVR of the first axial slice, before it is stored."""
    volume = load_volume(task.decision.record.paths)
    brain = scale_to_suvr(volume, find_brain(volume))
    brain = resample(brain, SPEC.spacing_mm)
    band = SPEC.bands_mm["axial"]
    slices = cut_slices(brain, "axial", size=SPEC.size, band_mm=band)
    return next(iter(slices)).image


def test_one_scan(task):
    outcome, made = make_examples(task)
    assert 0.01 < outcome.noise < 0.05
    assert dataclasses.replace(outcome, sheet=None, noise=0.0) == Outcome(
        image_id="900001",
        frames=1,
        slices=6 + 8,
        pixels=(6 + 8) * 32 * 32,
        subjects=("999_S_9001",),
    )
    keys = [key for key, _ in made]
    assert keys[0] == "900001-axial-0"
    assert keys[-1] == "900001-sagittal-7"
    example = dict(made[0][1])
    suvr = pixels(example.pop("image")) / 65535 * SPEC.suvr_max
    # rounded to the nearest step, so half a step off at most
    half_a_step = 0.501 / 65535 * SPEC.suvr_max
    np.testing.assert_allclose(suvr, first_slice(task), 0, half_a_step)
    assert example == {
        "label": "AD",
        "plane": "axial",
        "slice": 0,
        "position_mm": pytest.approx(0, abs=3),
        "subject": "999_S_9001",
        "scan": "900001",
        "visit": "m12",
        "date": "2012-05-05",
        "age": 71.5,
        "sex": "F",
    }


def test_pixels_outside_the_scale_are_clipped_and_counted(task, tmp_path):
    head = ida_tree.head()
    ida_tree.save_las(np.where(head == 0, -0.5, head), tmp_path / "a.nii")
    dim = dataclasses.replace(SPEC, suvr_max=1.0)
    outcome, made = make_examples(dataclasses.replace(task, spec=dim))
    assert 0.05 < outcome.clipped / outcome.pixels < 0.5
    image = pixels(made[0][1]["image"])
    assert (image.max(), image[0, 0]) == (65535, 0)


def test_a_reason_and_no_example(task, tmp_path, monkeypatch):
    known = Outcome(image_id="900001", reason="no mask")
    problem = dataclasses.replace(task, problem="no mask")
    assert make_examples(problem) == (known, [])
    (tmp_path / "a.nii").write_bytes(b"x")
    outcome, made = make_examples(task)
    assert outcome.reason.startswith("unreadable header")
    assert made == []

    def load_volume(paths, **_):
        raise MemoryError

    monkeypatch.setattr(examples, "load_volume", load_volume)
    outcome, made = make_examples(task)
    assert "memory" in outcome.reason
    assert made == []


def test_what_the_page_shows(task):
    outcome, _ = make_examples(task)
    sheet = outcome.sheet
    assert grey_levels(sheet).max() > 5
    assert sheet.scale == pytest.approx(5500, rel=0.05)
    # an ellipsoid of 66, 84 and 60 mm in the middle of the grid
    assert sheet.mask_ml == pytest.approx(1393, rel=0.1)
    assert sheet.centre_mm == pytest.approx((3, -3, -3), abs=3)
    again = json.loads(json.dumps(dataclasses.asdict(outcome)))
    assert Outcome.from_json(again) == outcome
    assert make_examples(task)[0] == outcome


def test_flags_say_what_to_know_of_a_scan(task, tmp_path):
    assert make_examples(task)[0].flags == ()
    head = ida_tree.head()
    head[20, 20, 12] = np.nan
    series = np.stack([head * 100] * 3, 3)
    image = nib.Nifti1Image(series, None)
    image.header.set_zooms((*[ida_tree.SPACING] * 3, 300))
    nib.save(image, tmp_path / "a.nii")
    record = dataclasses.replace(
        task.decision.record, remark="two tables disagree on its date"
    )
    decision = dataclasses.replace(task.decision, record=record)
    dim = dataclasses.replace(SPEC, suvr_max=1.0)
    outcome, _ = make_examples(Task(decision=decision, spec=dim))
    share = outcome.clipped / outcome.pixels
    assert outcome.flags == (
        "3 frames averaged",
        "left and right assumed",
        "repaired voxels: 1",
        f"{100 * share:.1f} % of its pixels above SUVR 1",
        "two tables disagree on its date",
    )
    # no affine: mm from the first voxel
    assert outcome.sheet.centre_mm == pytest.approx((117, 117, 69), abs=3)


def test_a_refused_scan_is_drawn_where_it_was_read(task, tmp_path):
    half = ida_tree.head()
    half[:20] = 0
    ida_tree.save_las(half, tmp_path / "a.nii")
    outcome, made = make_examples(task)
    assert outcome.reason.startswith("part of a brain")
    assert made == []
    assert grey_levels(outcome.sheet).max() > 5
    assert outcome.sheet.mask_ml == 0
    again = json.loads(json.dumps(dataclasses.asdict(outcome)))
    assert Outcome.from_json(again) == outcome
    bare = Outcome(image_id="1", reason="no mask")
    again = json.loads(json.dumps(dataclasses.asdict(bare)))
    assert Outcome.from_json(again) == bare


def test_names_that_are_no_text_can_be_stored(task):
    odd = dataclasses.replace(task.decision.record, image_id="sub-\udcff_pet")
    decision = dataclasses.replace(task.decision, record=odd)
    _, made = make_examples(dataclasses.replace(task, decision=decision))
    key, example = made[0]
    assert key.encode() == rb"sub-\xff_pet-axial-0"
    assert example["scan"].encode() == rb"sub-\xff_pet"


# --- by Apache Beam -----------------------------------------------------------

TWO_PROCESSES = (
    "--runner=DirectRunner --direct_running_mode=multi_processing "
    "--direct_num_workers=2"
)


@pytest.fixture
def beam():
    return pytest.importorskip("apache_beam")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A cohort of 15, one of whose scans has no brain in it."""
    rows = ida_tree.cohort_rows(5)
    root = ida_tree.write_tree(tmp_path_factory.mktemp("ida") / "scans", rows)
    behead(ida_tree.image_path(root, rows[0]))
    return root


def behead(path):
    head = ida_tree.head()
    head[:21] = 0
    ida_tree.save_las(head, path)


def test_without_beam_the_error_says_how_to_install_it(
    tree, tmp_path, monkeypatch
):
    module = "apache_beam.options.pipeline_options"
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install \"pet-dcgan\[beam\]\""):
        prepare(tree, tmp_path / "d", beam_options="--runner=DirectRunner")
    assert not (tmp_path / "d").exists()


def test_options_are_beams_own(beam, capsys):
    options = _pipeline_options(TWO_PROCESSES).get_all_options()
    assert options["runner"] == "DirectRunner"
    assert options["direct_num_workers"] == 2
    for text in ("--direct_num_workers=many", "--runner='DirectRunner"):
        with pytest.raises(ValueError, match="expected options of Apache"):
            _pipeline_options(text)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            ValueError("number of generated examples is 0 for split test. x"),
            ValueError,
            "usable scans for the test split, found none",
        ),
        (
            OSError("gone\n  File here"),
            RuntimeError,
            "Apache Beam to finish, found gone File here; its log",
        ),
    ],
)
def test_what_stops_beam_is_one_line(error, kind, words):
    with pytest.raises(kind, match=words) as raised, _beam_errors(True):
        raise error
    assert "\n" not in str(raised.value)
    with (
        pytest.raises(type(error), match="^" + str(error)),
        _beam_errors(False),
    ):
        raise error


def test_the_transform_makes_what_one_process_makes(beam, tree, tmp_path):
    """And its outcomes are read once."""
    records = read_folder(tree).records
    decisions = [decide(record, Selection()) for record in records]
    tasks = [Task(decision=decision, spec=SPEC) for decision in decisions]
    expected = [make_examples(task) for task in tasks]
    options = _pipeline_options("--runner=DirectRunner")
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | beam_examples(tasks, tmp_path / "outcomes.json")
            | beam.Map(lambda pair: repr(pair))
            | beam.combiners.ToList()
            | beam.Map(_write, tmp_path / "rows")
        )
    outcomes = list(read_outcomes(tmp_path / "outcomes.json"))
    assert not (tmp_path / "outcomes.json").exists()
    assert outcomes == [outcome for outcome, _ in expected]
    assert {o.reason.split(":")[0] for o in outcomes} == {"", "no brain found"}
    rows = json.loads((tmp_path / "rows").read_text())
    assert sorted(rows) == sorted(
        repr(pair) for _, examples in expected for pair in examples
    )


def _write(rows, path):
    path.write_text(json.dumps(rows))


@pytest.mark.slow
def test_several_processes_of_beam_give_the_same_data_set(beam, tree, tmp_path):
    """The same examples, splits, account and metadata, to the byte."""
    folders, contents = (tmp_path / "plain", tmp_path / "beamed"), []
    prepare(tree, folders[0], config="axial_64", jobs=1)
    prepare(tree, folders[1], config="axial_64", beam_options=TWO_PROCESSES)
    for folder in folders:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        contents.append(
            {str(f.relative_to(folder)): f.read_bytes() for f in files}
        )
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_beam_with_nothing_to_make_leaves_nothing(beam, tmp_path):
    root = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(3))
    for path in root.rglob("*.nii"):
        behead(path)
    with pytest.raises(ValueError, match="expected usable scans"):
        prepare(
            root,
            tmp_path / "d",
            config="axial_64",
            beam_options="--runner=DirectRunner",
        )
    assert not (tmp_path / "d").exists()
