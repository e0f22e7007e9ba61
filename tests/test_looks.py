import pytest

from pet_dcgan.runs.selection_log import (
    FILE,
    KidEvaluation,
    best_evaluation,
    ended_early,
    evaluations_without_improvement,
    generator_facts,
    read_evaluations,
    write_evaluations,
)

LOOKS = [
    KidEvaluation(2, 0.5, 0.1),
    KidEvaluation(4, 1 / 3, 0.05),
    KidEvaluation(6, 0.4, 0.02),
]


def test_what_was_written_is_read(tmp_path):
    write_evaluations(tmp_path / FILE, LOOKS, phantom=True)
    assert read_evaluations(tmp_path / FILE) == LOOKS
    lines = (tmp_path / FILE).read_text().splitlines()
    assert lines[0] == "epoch,val_kid,standard_error,phantom"
    assert lines[1] == "2,0.5,0.1,true"


def test_no_file_means_no_look(tmp_path):
    assert read_evaluations(tmp_path / FILE) == []
    assert best_evaluation([]) is None
    assert evaluations_without_improvement([]) == 0


def test_the_first_of_the_lowest_is_the_best():
    looks = [*LOOKS, KidEvaluation(8, 1 / 3, 0.01)]
    assert best_evaluation(looks) is looks[1]
    assert evaluations_without_improvement(looks) == 2


@pytest.mark.parametrize(
    ("epoch", "patience", "ended"),
    [(6, 1, True), (6, 2, False), (6, 0, False), (5, 1, False), (2, 0, False)],
)
def test_a_training_that_had_come_to_its_early_end(
    tmp_path, epoch, patience, ended
):
    write_evaluations(tmp_path / FILE, LOOKS, phantom=True)
    assert ended_early(tmp_path, epoch=epoch, patience=patience) is ended


def test_looks_after_the_last_state_do_not_count(tmp_path):
    looks = [
        KidEvaluation(2, 0.3, 0.1),
        KidEvaluation(4, 0.4, 0.1),
        KidEvaluation(6, 0.2, 0.1),
    ]
    write_evaluations(tmp_path / FILE, looks, phantom=True)
    assert ended_early(tmp_path, epoch=5, patience=1)
    assert not ended_early(tmp_path, epoch=6, patience=1)


def test_a_run_says_which_epoch_its_generator_is_of(tmp_path):
    assert generator_facts(tmp_path, epochs=9) == {
        "epoch": 9,
        "chosen_by": "last epoch",
    }
    write_evaluations(tmp_path / FILE, LOOKS, phantom=True)
    assert generator_facts(tmp_path, epochs=9) == {
        "epoch": 4,
        "chosen_by": "val_kid",
        "val_kid": 1 / 3,
        "standard_error": 0.05,
    }


@pytest.mark.parametrize(
    "text", ["epoch,val_kid\n2,1\n", "epoch,val_kid,standard_error\n2,x,1\n"]
)
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"in every row of .*selection\.csv"):
        read_evaluations(tmp_path / FILE)
