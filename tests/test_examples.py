import ida_tree
import numpy as np
import pytest
import tensorflow as tf

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.parallel import examples
from tfds_adni.parallel.examples import Outcome, SliceSpec, Task, make_examples
from tfds_adni.sources import ScanRecord

CUTTING = SliceSpec(
    planes=("axial", "sagittal"),
    size=32,
    spacing_mm=6.0,
    bands_mm={"axial": (0.0, 36.0), "sagittal": (-48.0, 0.0)},
    suvr_max=2.5,
)


@pytest.fixture
def verdict(tmp_path):
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
    return ScanDecision(
        record=record, stage="AD", tracer="FDG", level="unknown"
    )


def test_one_scan(verdict):
    outcome, made = make_examples(Task(verdict=verdict, cutting=CUTTING))
    assert outcome == Outcome(
        image_id="900001",
        frames=1,
        pixels=(6 + 8) * 32 * 32,
        subjects=("999_S_9001",),
    )
    keys = [key for key, _ in made]
    assert keys[0] == "900001-axial-0"
    assert keys[-1] == "900001-sagittal-7"
    example = dict(made[0][1])
    image = tf.io.decode_png(example.pop("image"), dtype=tf.uint16).numpy()
    suvr = image[..., 0] / 65535 * 2.5
    assert suvr.max() == pytest.approx(1.7, abs=0.4)
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


def test_pixels_above_the_scale_are_counted_and_cut(verdict):
    dim = SliceSpec(**{**vars(CUTTING), "suvr_max": 1.0})
    outcome, made = make_examples(Task(verdict=verdict, cutting=dim))
    assert 0.05 < outcome.clipped / outcome.pixels < 0.5
    image = tf.io.decode_png(made[0][1]["image"], dtype=tf.uint16).numpy()
    assert image.max() == 65535


def test_what_is_below_zero_is_stored_as_zero(verdict, tmp_path):
    head = ida_tree.head()
    ida_tree.save_las(np.where(head == 0, -0.5, head), tmp_path / "a.nii")
    _, made = make_examples(Task(verdict=verdict, cutting=CUTTING))
    image = tf.io.decode_png(made[0][1]["image"], dtype=tf.uint16).numpy()
    assert image[0, 0, 0] == 0


def test_a_reason_and_no_example(verdict, tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x")
    outcome, made = make_examples(Task(verdict=verdict, cutting=CUTTING))
    assert outcome.reason.startswith("unreadable header")
    assert made == []


def test_a_problem_known_before(verdict):
    task = Task(verdict=verdict, cutting=CUTTING, problem="no mask")
    assert make_examples(task) == (
        Outcome(image_id="900001", reason="no mask"),
        [],
    )


def test_more_than_the_memory_holds(verdict, monkeypatch):
    def load_volume(paths):
        raise MemoryError

    monkeypatch.setattr(examples, "load_volume", load_volume)
    outcome, made = make_examples(Task(verdict=verdict, cutting=CUTTING))
    assert "memory" in outcome.reason
    assert made == []


def test_names_that_are_no_text_can_be_stored(verdict):
    record = verdict.record
    odd = ScanRecord(**{**vars(record), "image_id": "sub-\udcff_pet"})
    task = Task(
        verdict=ScanDecision(**{**vars(verdict), "record": odd}),
        cutting=CUTTING,
    )
    _, made = make_examples(task)
    key, example = made[0]
    assert key.encode() == rb"sub-\xff_pet-axial-0"
    assert example["scan"].encode() == rb"sub-\xff_pet"
