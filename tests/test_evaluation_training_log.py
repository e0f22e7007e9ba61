import csv
import math

from pet_dcgan.evaluation.training_curves import read_curves, training_facts
from pet_dcgan.runs.selection_log import KidEvaluation, write_evaluations


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_columns_of_numbers_by_epoch(tmp_path):
    write(
        tmp_path / "log.csv",
        [
            {"epoch": 1, "g_loss": 2.5, "phantom": "true"},
            {"epoch": 2, "g_loss": "", "phantom": "true"},
        ],
    )
    log, selection, health = read_curves(tmp_path)
    assert log["epoch"] == [1.0, 2.0]
    assert log["g_loss"][0] == 2.5
    assert math.isnan(log["g_loss"][1])
    assert set(log) == {"epoch", "g_loss"}
    assert selection == health == {}


def test_damaged_files_are_empty(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe\x00epoch")
    (tmp_path / "health.csv").write_text("no\nwords,at,all\n")
    assert read_curves(tmp_path) == ({}, {}, {})


def test_facts_are_counts_and_states(tmp_path, tiny_config):
    write(
        tmp_path / "health.csv",
        [
            {"epoch": 5, "states": "collapse"},
            {"epoch": 10, "states": ""},
            {"epoch": 15, "states": "collapse memorisation"},
        ],
    )
    config = tiny_config()
    facts = training_facts(tmp_path, config, subjects=3, slices=12)
    assert facts["warnings"] == ["collapse", "memorisation"]
    assert (facts["subjects"], facts["slices"]) == (3, 12)
    assert facts["epochs"] == config.epochs == facts["generator"]["epoch"]


def test_the_generator_that_was_chosen(tmp_path, tiny_config):
    looks = [KidEvaluation(1, 0.5, 0.1), KidEvaluation(2, 0.25, 0.1)]
    write_evaluations(tmp_path / "selection.csv", looks, phantom=True)
    facts = training_facts(tmp_path, tiny_config(), subjects=3, slices=12)
    assert facts["generator"]["chosen_by"] == "val_kid"
    assert facts["generator"]["epoch"] == 2
    assert read_curves(tmp_path).selection["val_kid"] == [0.5, 0.25]
