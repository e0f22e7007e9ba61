"""What an evaluation says of who was trained on."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from toy_brains import subjects_slices
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation.membership_scores import membership_scores
from pet_dcgan.metrics.centring import centred

KEYS = {
    "auc",
    "true_positives_at_1_percent",
    "true_positives_at_0",
    "training_subjects",
    "held_out_subjects",
    "images",
    "missing",
    "words",
}
SCALE = 65535 / 2.5


def scores(*, training=8, test=5, validation=3, select_every=0):
    """Of images that replay every training slice; all are of 6 slices."""
    stored, subjects, _ = subjects_slices(training, seed=1)
    stored = np.round(np.clip(stored, 0, 2.5) * SCALE).astype(np.uint16)
    real, others = (
        slices(count, 6)._replace(
            images=images, subjects=np.array(names, dtype=str)
        )
        for count, (images, names, _) in (
            (test, subjects_slices(test, seed=2)),
            (validation, subjects_slices(validation, seed=3)),
        )
    )
    synthetic = stored / SCALE
    images = evaluation(
        real,
        synthetic,
        others,
        training=SimpleNamespace(images=stored, subjects=subjects),
        searched=centred(synthetic),
    )
    config = SimpleNamespace(
        **vars(images.config) | {"select_every": select_every}
    )
    return membership_scores(dataclasses.replace(images, config=config))


def test_validation_and_test_subjects_are_held_out_together():
    found = scores()
    assert set(found) == KEYS
    assert found["auc"]["value"] == 1
    low, high = found["auc"]["interval"]
    assert 0.5 < low < high == 1
    assert found["true_positives_at_1_percent"] is None
    assert found["true_positives_at_0"]["value"] == 1
    # Clopper-Pearson, 8 of 8: 0.025^(1/8)
    assert found["true_positives_at_0"]["interval"] == [0.630583, 1]
    assert (found["training_subjects"], found["held_out_subjects"]) == (8, 8)
    assert found["images"] == 48
    assert found["missing"] is None
    assert "takes 100 of them" in found["words"]
    assert found["words"].endswith("by chance 11%.")
    json.dumps(found, allow_nan=False)


def test_validation_subjects_who_chose_the_generator_are_not_held_out():
    found = scores(test=8, select_every=5)
    assert found["held_out_subjects"] == 8
    assert scores(test=8)["held_out_subjects"] == 11
    assert scores(test=7, select_every=5)["missing"]


@pytest.mark.parametrize(
    "counts", [{"training": 7}, {"test": 4}, {"validation": 2}]
)
def test_too_few_subjects_give_no_number_and_say_so(counts):
    found = scores(**counts)
    assert set(found) == KEYS
    numbers = {k: v for k, v in found.items() if k.startswith(("auc", "true"))}
    assert set(numbers.values()) == {None}
    assert "it takes 8 of each" in found["missing"]
    assert found["missing"] in found["words"]
    held_out = counts.get("test", 5) + counts.get("validation", 3)
    places = f"{counts.get('training', 8)} training and {held_out} held-out"
    assert places in found["words"]


def test_with_a_hundred_held_out_subjects_there_is_a_rate_at_one_percent():
    found = scores(test=97)
    assert found["true_positives_at_1_percent"]["value"] == 1
    assert found["true_positives_at_0"] is None
    assert "(1 % false positives)" in found["words"]
