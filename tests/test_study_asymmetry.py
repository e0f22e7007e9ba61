"""Left against right in a study: of real subjects and of synthetic images."""

import json

import numpy as np
import pytest

from pet_dcgan.study.asymmetry import study_asymmetry
from pet_dcgan.study.contrast import ContrastSplit, StageSlices


def brains(count, seed, spread=0.1):
    """Flat brains whose left half is brighter or darker, each differently."""
    rng = np.random.default_rng(seed)
    images = np.ones([count, 12, 12])
    images[:, :, :6] += spread * rng.normal(size=count)[:, None, None]
    return images


def split(seed, subjects=8, spread=0.1):
    names = [f"{seed}_{i}" for i in range(subjects)]
    held_out = StageSlices(
        brains(subjects, seed), np.array(names), np.zeros(subjects)
    )
    synthetic = {"AD": brains(40, seed + 100, spread)}
    return ContrastSplit({}, {"AD": held_out}, synthetic)


def test_means_and_sds_by_row_and_split():
    found = study_asymmetry([split(1), split(2)], plane="axial")
    json.dumps(found, allow_nan=False)
    rows = found["stages"]["AD"]
    assert list(rows) == ["front", "middle", "back"]
    row = rows["front"]
    # a left side of 1 + e against 1: e / (1 + e / 2)
    left = 1 + 0.1 * np.random.default_rng(101).normal(size=40)
    index = (left - 1) / ((left + 1) / 2)
    first = [row["synthetic"][k]["by_split"][0] for k in ("mean", "sd")]
    assert first == pytest.approx([index.mean(), index.std()], abs=1e-6)
    assert row["synthetic"]["sd"]["value"] == pytest.approx(
        np.mean(row["synthetic"]["sd"]["by_split"]), abs=1e-6
    )
    low, high = row["real"]["sd"]["interval"]
    assert low < row["real"]["sd"]["value"] < high


def test_even_images_are_told_and_few_subjects_have_no_interval():
    found = study_asymmetry([split(1, subjects=4, spread=0)], plane="axial")
    assert " 0.000 of synthetic" in found["words"]
    assert "held-out AD slices" in found["words"]
    row = found["stages"]["AD"]["back"]
    assert row["real"]["sd"]["interval"] is None


def test_slices_that_show_one_side_have_none():
    assert study_asymmetry([split(1)], plane="sagittal") is None
