import csv
import dataclasses
import json

import numpy as np
import pytest

from pet_dcgan.study.classifiers import Cell
from pet_dcgan.study.records import Records
from pet_dcgan.study.statistics import Answer

CELL = Cell(25, 3, "real+synthetic")
TOLD = {"data_dir": "/old", "seeds": 5}


@pytest.fixture
def records(tmp_path):
    found = Records(tmp_path / "study", ("NC", "AD"))
    found.claim(TOLD, resume=False)
    return found


@pytest.fixture
def answer():
    ones = np.random.default_rng(0).random(3)
    return Answer(
        np.array(["999_S_1", "999_S_2", "999_S_3"]),
        np.array([0, 1, 0]),
        np.stack([1 - ones, ones], axis=1),
    )


def test_an_answer_is_read_back_bit_for_bit(records, answer):
    assert records.read_answer(CELL, expected=answer) is None
    records.write_answer(CELL, answer)
    found = records.read_answer(CELL, expected=answer)
    np.testing.assert_array_equal(found.probabilities, answer.probabilities)
    np.testing.assert_array_equal(found.truth, answer.truth)


def test_an_answer_of_other_subjects_is_refused(records, answer):
    records.write_answer(CELL, answer)
    others = dataclasses.replace(answer, truth=np.array([1, 1, 0]))
    with pytest.raises(ValueError, match="prepared anew"):
        records.read_answer(CELL, expected=others)


@pytest.mark.parametrize("text", ["nothing\n", "subject,stage,NC,AD\na,NC,x,1"])
def test_a_damaged_answer_is_refused(records, answer, text):
    records.write_answer(CELL, answer)
    records.predictions(CELL).write_text(text)
    with pytest.raises(ValueError, match=r"025_real\+synthetic_3|prepared"):
        records.read_answer(CELL, expected=answer)


def test_rows_say_whether_the_study_is_whole(records):
    row = {
        "fraction": 25,
        "seed": 0,
        "arm": "real",
        "training_subjects": 8,
        "real_images": 9,
        "synthetic_images": 0,
        "judged_subjects": 4,
        "accuracy": 1.0,
        "balanced_accuracy": 1.0,
        "auc": 1.0,
        "phantom": "true",
    }
    for complete, word in ((False, "partial"), (True, "complete")):
        records.write_results([row], complete=complete)
        with (records.folder / "results.csv").open(newline="") as file:
            (found,) = csv.DictReader(file)
        assert found["study"] == word
        assert found["auc"] == "1.0"


def test_a_used_folder_is_not_taken_without_resume(records):
    with pytest.raises(FileExistsError, match="--resume"):
        records.claim(TOLD, resume=False)
    records.claim(TOLD | {"data_dir": "/moved"}, resume=True)


def test_only_the_same_study_goes_on(records, tmp_path):
    with pytest.raises(ValueError, match="seeds 6 instead of 5"):
        records.claim(TOLD | {"seeds": 6}, resume=True)
    with pytest.raises(FileNotFoundError, match="leave out --resume"):
        Records(tmp_path / "none", ("NC", "AD")).claim(TOLD, resume=True)
    (records.folder / "settings.json").write_text("[]")
    with pytest.raises(ValueError, match="a study's settings"):
        records.claim(TOLD, resume=True)


def test_a_summary_is_json(records):
    records.write_summary({"complete": False})
    text = (records.folder / "study.json").read_text()
    assert json.loads(text) == {"complete": False}
