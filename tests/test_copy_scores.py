"""What an evaluation says of copies, and which images it shows."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from toy_evaluation import CONFIG, evaluation, slices

from pet_dcgan.evaluation import closest_sheet, copy_scores
from pet_dcgan.evaluation.copy_scores import memorization_scores
from pet_dcgan.metrics.centring import centred
from pet_dcgan.references import SUVR_LABELS

KEYS = {
    "verdict",
    "words",
    "images",
    "certain",
    "suspects",
    "held_out_suspects",
    "bound",
    "listed",
    "closest_ratio",
    "mixtures",
    "c_t",
    "p_value",
    "share_nearer",
    "authenticity",
    "held_out_authenticity",
    "held_out_subjects",
}


def brains(count, seed):
    """Random squares, pooled from 64 pixels: no two look like one brain."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.5, 2, [count, 8, 8])
    fine = coarse.repeat(6, 1).repeat(6, 2)
    return np.pad(fine, [(0, 0), (8, 8), (8, 8)])


TRAINING = brains(6, 0)


def scores(planted, *, subjects=range(6), seed=0, held_out=9):
    """Of 20 images, some of which are replaced by `planted` (by their row)."""
    real = slices(held_out, 1)._replace(images=brains(held_out, 1))
    synthetic = brains(20, 2)
    for row, image in planted.items():
        synthetic[row] = image
    images = evaluation(
        real,
        synthetic,
        training=SimpleNamespace(
            images=np.round(TRAINING / 2.5 * 65535).astype(np.uint16),
            subjects=np.array([*subjects]),
        ),
        searched=centred(synthetic),
    )
    object.__setattr__(images, "seed", seed)
    object.__setattr__(images, "draw", lambda seeds: synthetic[seeds - seed])
    return memorization_scores(images)


def test_every_suspect_is_listed_by_seed_and_shown_beside_its_source():
    noise = np.random.default_rng(3).normal(0, 0.5, [64, 64])
    planted = {
        4: TRAINING[2],
        11: TRAINING[5][:, ::-1],
        17: TRAINING[1] + noise * (TRAINING[1] > 0),
    }
    numbers, closest = scores(planted, seed=100)
    assert set(numbers) == KEYS
    assert numbers["verdict"] == "copies"
    assert numbers["images"] == 20
    assert (numbers["suspects"], numbers["certain"]) == (3, 2)
    listed = numbers["listed"]
    assert {each["seed"] for each in listed[:2]} == {104, 111}
    assert listed[2]["seed"] == 117
    assert [each["certain"] for each in listed] == [True, True, False]
    assert {e["seed"]: e["mirrored"] for e in listed} == {
        104: False,
        111: True,
        117: False,
    }
    assert 0.3 <= listed[2]["ratio"] < 0.5
    assert numbers["closest_ratio"] == listed[0]["ratio"] < 0.01
    json.dumps(numbers, allow_nan=False)
    assert closest.suspects == 3
    rows = [each["seed"] - 100 for each in listed]
    for image, training, row in zip(
        closest.synthetic, closest.training, rows, strict=True
    ):
        np.testing.assert_array_equal(image, planted[row])
        # the source lies as the image does, mirrored or not
        assert np.abs(training - image).mean() < 0.3
        if row != 17:
            np.testing.assert_allclose(training, image, atol=1e-4)


def test_without_suspects_the_closest_are_shown():
    numbers, closest = scores({})
    assert numbers["verdict"] == "no sign"
    assert (numbers["suspects"], numbers["certain"]) == (0, 0)
    assert numbers["listed"] == []
    assert numbers["bound"] == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-6)
    assert closest.suspects == 0
    assert len(closest.synthetic) == len(closest.training) == 8


def test_the_sheet_of_the_closest_says_how_suvr_was_scaled(monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        closest_sheet, "save_sheet", lambda *_, **options: drawn.update(options)
    )
    _, closest = scores({})
    closest_sheet.save_closest("closest.png", closest, CONFIG)
    assert drawn["label"] == SUVR_LABELS[CONFIG.reference]


def test_of_many_suspects_some_are_shown(monkeypatch):
    monkeypatch.setattr(copy_scores, "_SHOWN", 2)
    numbers, closest = scores({row: TRAINING[row] for row in range(5)})
    assert len(numbers["listed"]) == numbers["suspects"] == 5
    assert (len(closest.synthetic), closest.suspects) == (2, 5)


@pytest.mark.parametrize("subjects", [[0] * 6, [0, 0, 0, 1, 1, 1]])
def test_one_training_subject_leaves_copies_open(monkeypatch, subjects):
    monkeypatch.setattr(
        f"{__name__}.TRAINING", np.repeat(TRAINING[:1], 6, axis=0)
    )
    numbers, closest = scores({0: TRAINING[0]}, subjects=subjects)
    assert closest is None
    assert set(numbers) == KEYS
    assert numbers["verdict"] is None
    assert {v for k, v in numbers.items() if k not in ("words",)} == {None}
    assert numbers["words"].startswith("Not searched: expected training slices")
    assert "train on more subjects." in numbers["words"]


def test_the_configuration_of_the_toys_is_the_scale():
    assert CONFIG.suvr_max == 2.5
