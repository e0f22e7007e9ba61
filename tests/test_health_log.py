import csv
import dataclasses
import math

import pytest
from health_looks import make_looks

from pet_dcgan.training.health.log import HealthLog
from pet_dcgan.training.health.states import HealthFinding

COLLAPSE = HealthFinding(state="collapse", words="alike", remedy="do this")
COPIES = HealthFinding(state="memorisation", words="copies", remedy="or, that")


@pytest.fixture
def log(tmp_path):
    return lambda: HealthLog(tmp_path / "health.csv", phantom=True)


def rows(log):
    with log.path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_a_look_with_what_was_said(log):
    first, second = make_looks(2)
    kept = log()
    kept.add(1, first)
    kept.add(2, second, [COLLAPSE, COPIES])
    found = rows(kept)
    assert [row["epoch"] for row in found] == ["1", "2"]
    assert found[0]["misfit"] == "0.05"
    assert found[0]["states"] == found[0]["said"] == ""
    assert found[1]["states"] == "collapse memorisation"
    assert found[1]["said"] == "alike: do this; copies: or, that"
    assert {row["phantom"] for row in found} == {"true"}


def test_numbers_come_back_as_they_were(log):
    looks = make_looks(2, misfit=(0.1 + 0.2, 1 / 3), training_distance=math.nan)
    for look in looks:
        log().add(look.epoch, look)
    found = log().looks_before(3)
    assert [look.misfit for look in found] == [0.1 + 0.2, 1 / 3]
    assert math.isnan(found[0].training_distance)
    assert len(log().looks_before(2)) == 1


def test_what_was_said_is_not_new_to_a_resumed_run(log):
    kept = log()
    assert kept.is_new(COLLAPSE)
    kept.add(1, make_looks(1)[0], [COLLAPSE])
    assert not kept.is_new(COLLAPSE)
    assert kept.is_new(COPIES)
    resumed = log()
    assert not resumed.is_new(COLLAPSE)
    # the epoch in which it was said is repeated
    resumed.add(1, make_looks(1)[0])
    assert not resumed.is_new(COLLAPSE)


def test_repeated_epochs_stand_once_and_in_order(log):
    for look in make_looks(4):
        log().add(look.epoch, look)
    (again,) = make_looks(1, misfit=0.07)
    log().add(3, dataclasses.replace(again, epoch=3), [COPIES])
    found = rows(log())
    assert [row["epoch"] for row in found] == ["1", "2", "3", "4"]
    assert found[2]["misfit"] == "0.07"
    assert len(log().looks_before(3)) == 2


def test_a_run_stopped_twice_still_knows_what_it_said(log):
    for look in make_looks(3):
        log().add(look.epoch, look, [COLLAPSE] if look.epoch == 3 else [])
    for epoch in (1, 2, 3):
        log().add(epoch, make_looks(3)[epoch - 1])
        assert not log().is_new(COLLAPSE)
    assert [row["states"] for row in rows(log())] == ["", "", "collapse"]
    log().add(3, make_looks(3)[2], [COPIES])
    assert rows(log())[2]["states"] == "collapse memorisation"
    assert rows(log())[2]["said"] == "alike: do this; copies: or, that"


def test_an_end_without_measures_is_no_look(log):
    kept = log()
    kept.add(1, make_looks(1)[0])
    kept.add(2, None, [COLLAPSE])
    assert rows(kept)[1]["diversity"] == ""
    assert len(log().looks_before(9)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "epoch,d_loss\n1,2.0\n",
        "HEADER\nx,1,1,1,1,1,1,1,1,,,true\n",
        "HEADER\n1,1,1,1,1,1,many,1,1,,,true\n",
        "HEADER\n1,1\n",
        "HEADER\n1,1,1,1,1,1,1,1,1,,,true,more\n",
        b"\xff\xfe\x00",
    ],
)
def test_another_file_is_refused(log, text):
    kept = log()
    kept.add(1, make_looks(1)[0])
    header = kept.path.read_text().partition("\n")[0]
    if isinstance(text, bytes):
        kept.path.write_bytes(text)
    else:
        kept.path.write_text(text.replace("HEADER", header))
    with pytest.raises(ValueError, match="expected the columns epoch,d_loss"):
        log()


def test_an_empty_file_says_nothing(log, tmp_path):
    (tmp_path / "health.csv").write_text("")
    assert log().looks_before(9) == []
    assert log().is_new(COLLAPSE)
