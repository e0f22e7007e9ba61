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

EVALUATIONS = [
    KidEvaluation(2, 0.5, 0.1),
    KidEvaluation(4, 1 / 3, 0.05),
    KidEvaluation(6, 0.4, 0.02),
]


@pytest.fixture
def path(tmp_path):
    write_evaluations(tmp_path / FILE, EVALUATIONS, phantom=True)
    return tmp_path / FILE


def test_evaluations_are_read_as_written(path):
    assert read_evaluations(path) == EVALUATIONS
    lines = path.read_text().splitlines()
    assert lines[:2] == [
        "epoch,val_kid,standard_error,phantom",
        "2,0.5,0.1,true",
    ]


def test_no_file_means_no_evaluation(tmp_path):
    assert read_evaluations(tmp_path / FILE) == []
    assert best_evaluation([]) is None
    assert evaluations_without_improvement([]) == 0


def test_the_first_of_the_lowest_is_the_best():
    equal = [*EVALUATIONS, KidEvaluation(8, 1 / 3, 0.01)]
    assert best_evaluation(equal) is equal[1]
    assert evaluations_without_improvement(equal) == 2


@pytest.mark.parametrize(
    ("epoch", "patience", "ended"),
    [(6, 1, True), (6, 2, False), (6, 0, False), (5, 1, False), (2, 0, False)],
)
def test_evaluations_up_to_an_epoch_decide_on_the_early_end(
    path, epoch, patience, ended
):
    assert ended_early(path.parent, epoch=epoch, patience=patience) is ended


def test_a_run_knows_which_epoch_its_generator_is_of(path):
    assert generator_facts(path.parent, epochs=9) == {
        "epoch": 4,
        "chosen_by": "val_kid",
        "val_kid": 1 / 3,
        "standard_error": 0.05,
    }
    path.unlink()
    assert generator_facts(path.parent, epochs=9) == {
        "epoch": 9,
        "chosen_by": "last epoch",
    }


@pytest.mark.parametrize(
    "text", ["epoch,val_kid\n2,1\n", "epoch,val_kid,standard_error\n2,x,1\n"]
)
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"in every row of .*selection\.csv"):
        read_evaluations(tmp_path / FILE)
