import math
from types import SimpleNamespace

import pytest

from pet_dcgan.runs.selection_log import (
    KidEvaluation,
    best_evaluation,
    ended_early,
    generator_facts,
    read_evaluations,
    without_improvement,
    write_evaluations,
)

HEAD = "epoch,val_kid,standard_error,suspects\n"
# by KID alone it would be the second, which copies; sums .032, .29, .025, .025
EVALUATIONS = [
    KidEvaluation(5, 0.03, 0.002, 0.002),
    KidEvaluation(10, 0.02, 0.001, 0.27),
    KidEvaluation(15, 0.025, 0.001, 0.0),
    KidEvaluation(20, 0.0211, 0.001, 0.0039),
]


def of_epochs(path, epochs):
    """What `generator_facts` needs of a run."""
    config = SimpleNamespace(preset="demo", epochs=epochs)
    return SimpleNamespace(path=path, config=config)


class TestTheBest:
    def test_has_the_lowest_sum_of_kid_and_suspects(self):
        assert EVALUATIONS[1].score == pytest.approx(0.29)
        assert best_evaluation(EVALUATIONS).epoch == 15
        assert best_evaluation(EVALUATIONS[:2]).epoch == 5
        assert best_evaluation([]) is None

    def test_is_the_first_of_equal_ones(self):
        equal = [KidEvaluation(n, 0.25, 0.1, 0.5) for n in (3, 4)]
        other = KidEvaluation(5, 0.75, 0.1, 0.0)
        assert best_evaluation([*equal, other]).epoch == 3

    def test_patience_counts_from_it(self):
        counts = [without_improvement(EVALUATIONS[:n]) for n in range(5)]
        assert counts == [0, 0, 1, 0, 1]


class TestTheFile:
    def test_reads_what_was_written(self, tmp_path):
        assert read_evaluations(tmp_path) == []
        exact = KidEvaluation(25, 1 / 3, 0.1 + 0.2, 1 / 7)
        write_evaluations(tmp_path, [*EVALUATIONS, exact], phantom=True)
        assert read_evaluations(tmp_path) == [*EVALUATIONS, exact]
        lines = (tmp_path / "selection.csv").read_text().splitlines()
        assert lines[:2] == [
            "epoch,val_kid,standard_error,suspects,phantom",
            "5,0.03,0.002,0.002,true",
        ]

    def test_of_few_images_there_is_no_standard_error(self, tmp_path):
        few = KidEvaluation(1, 0.5, math.nan, 0.0)
        write_evaluations(tmp_path, [few], phantom=False)
        (found,) = read_evaluations(tmp_path)
        assert math.isnan(found.standard_error)

    @pytest.mark.parametrize("suspects", ["0", "1", "0.5"])
    def test_every_share_is_possible(self, tmp_path, suspects):
        text = f"{HEAD}2,1,1,{suspects}\n"
        (tmp_path / "selection.csv").write_text(text)
        assert read_evaluations(tmp_path)[0].suspects == float(suspects)

    @pytest.mark.parametrize(
        "text",
        [
            "epoch,val_kid,standard_error\n2,1,1\n",  # of an earlier version
            "epoch,val_kid,suspects\n2,1,0\n",
            f"{HEAD}2,x,1,0\n",
            f"{HEAD}2,inf,1,0\n",
            f"{HEAD}2,1,x,0\n",
            f"{HEAD}2.5,1,1,0\n",
            f"{HEAD}2,1,1,0\n2,1,1,0\n",
            *(f"{HEAD}2,1,1,{n}\n" for n in ("x", "nan", "1.01", "-0.01", "")),
        ],
    )
    def test_a_damaged_one_is_refused(self, tmp_path, text):
        (tmp_path / "selection.csv").write_text(text)
        message = r"selection\.csv, found .*restore it"
        with pytest.raises(ValueError, match=message) as error:
            generator_facts(of_epochs(tmp_path, 1))
        assert len(str(error.value).splitlines()) == 1


class TestARun:
    def test_knows_its_last_epoch(self, tmp_path):
        run = of_epochs(tmp_path, 9)
        assert generator_facts(run) == {"epoch": 9, "chosen_by": "last epoch"}
        # a callback of the user ended it
        (tmp_path / "log.csv").write_text("epoch,g_loss\n1,1\n2,1\n")
        assert generator_facts(run) == {"epoch": 2, "chosen_by": "last epoch"}
        for damaged in ("epoch\nx\n", "epoch\n999\n", "\0", "epoch\n"):
            (tmp_path / "log.csv").write_text(damaged)
            assert generator_facts(run)["epoch"] == 9
        assert not ended_early(tmp_path, epoch=9, patience=1)

    def test_knows_which_epoch_its_generator_is_of_and_why(self, tmp_path):
        write_evaluations(tmp_path, EVALUATIONS, phantom=True)
        assert generator_facts(of_epochs(tmp_path, 90)) == {
            "epoch": 15,
            "chosen_by": "val_kid + suspects",
            "val_kid": 0.025,
            "standard_error": 0.001,
            "suspects": 0.0,
        }

    @pytest.mark.parametrize(
        ("epoch", "patience", "ended"),
        [(20, 1, 1), (19, 1, 0), (14, 1, 1), (20, 2, 0), (20, 0, 0)],
    )
    def test_had_ended_early(self, tmp_path, epoch, patience, ended):
        write_evaluations(tmp_path, EVALUATIONS, phantom=True)
        found = ended_early(tmp_path, epoch=epoch, patience=patience)
        assert found == bool(ended)
