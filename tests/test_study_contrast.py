"""The contrast of a study: over splits, in words, as a figure."""

import contextlib
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_contrast import cohort

from pet_dcgan.study.contrast import (
    ContrastSplit,
    StageSlices,
    study_contrast,
)
from pet_dcgan.study.contrast_figure import ContrastMaps, save_contrast

STAGES = ("NC", "AD")


def real(subjects, seed):
    """By stage, a slice of each of three levels of so many subjects."""
    found = {}
    for stage, images in zip(STAGES, cohort(subjects, seed=seed), strict=True):
        # levels look different, or the nearest slice would not tell them
        images = images + np.array([0.0, 0.5, 1.0])[:, None, None]
        found[stage] = StageSlices(
            images.reshape(-1, *images.shape[2:]),
            np.repeat(np.arange(subjects).astype(str), 3),
            np.tile([0.0, 10.0, 20.0], subjects),
        )
    return found


def split(tested=8, seed=0, **changes):
    synthetic = {s: x.images for s, x in real(20, 100 + seed).items()}
    parts = {
        "training": real(12, 50 + seed),
        "held_out": real(tested, seed),
        "synthetic": synthetic,
    }
    return ContrastSplit(**parts | changes)


def test_one_split_has_numbers_an_interval_and_maps():
    found, drawn = study_contrast([split()])
    json.dumps(found, allow_nan=False)
    assert found["missing"] is None
    assert found["subjects"] == {"NC": 8, "AD": 8}
    assert found["images"] == {"NC": 60, "AD": 60}
    low, high = found["interval"]
    assert low < found["correlation"] < high
    assert found["share"] == pytest.approx(1, abs=0.1)
    assert found["training"]["share"] == pytest.approx(1, abs=0.1)
    assert found["words"].startswith("The t-map of synthetic AD against NC")
    assert [level["to_mm"] for level in found["levels"]] == pytest.approx(
        [20 / 3, 40 / 3, 20]
    )
    assert drawn.maps["t", "real"].shape == (3, 12, 12)


def test_several_splits_are_averaged():
    splits = [split(4, seed) for seed in range(3)]
    found, drawn = study_contrast(splits)
    each = [row["correlation"] for row in found["splits"]]
    assert found["correlation"] == pytest.approx(np.mean(each), abs=1e-6)
    assert found["subjects"] == {"NC": 12, "AD": 12}
    # by hand: Fisher's z, and t of two degrees of freedom
    z = np.arctanh(each)
    reach = 4.302653 * np.sqrt(z.var(ddof=1) * (1 / 3 + 1 / 2))
    ends = np.tanh([z.mean() - reach, z.mean() + reach])
    assert found["interval"] == pytest.approx(ends, abs=1e-4)
    alone = [study_contrast([one])[1].maps["t", "real"] for one in splits]
    np.testing.assert_allclose(drawn.maps["t", "real"], np.mean(alone, axis=0))


@pytest.mark.parametrize(("held_out", "enough"), [(7, False), (8, True)])
def test_fewer_than_eight_subjects_are_not_enough(held_out, enough):
    found = study_contrast([split(held_out)])[0]
    assert found["words"].startswith("Not enough evidence") != enough
    assert (found["interval"] is not None) == enough


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"synthetic": {"NC": np.ones([9, 12, 12])}}, "no slices of AD"),
        ({"held_out": {}}, "no slices of NC or AD"),
        ({"held_out": real(1, 0)}, "fewer than two subjects"),
    ],
)
def test_what_is_missing(changes, reason):
    found, drawn = study_contrast([split(**changes)])
    assert drawn is None
    assert reason in found["missing"]
    assert found["words"].startswith("Not enough for the contrast: ")


def test_no_split_and_images_that_do_not_vary():
    assert study_contrast([])[0]["missing"]
    flat = {stage: np.ones([30, 12, 12]) for stage in STAGES}
    found = study_contrast([split(synthetic=flat)])[0]
    # all of them have one level, the others none
    assert "synthetic images" in found["missing"]


def test_one_position_is_refused():
    held_out = {
        stage: slices._replace(positions_mm=np.zeros(len(slices.subjects)))
        for stage, slices in real(8, 0).items()
    }
    with pytest.raises(ValueError, match="one position"):
        study_contrast([split(held_out=held_out, training=held_out)])


def texts(figure):
    """Every text in a figure."""
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return {text.get_text() for text in found}


def test_the_figure(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    kinds = "real", "synthetic"
    drawn = ContrastMaps(
        STAGES,
        np.array([-3.0, 2, 7, 12]),
        {
            (name, kind): scale * rng.normal(size=[3, 8, 8])
            for name, scale in (("t", 2), ("difference", 0.1))
            for kind in kinds
        },
    )
    kept = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, path, **_: kept.append(figure)
    )
    monkeypatch.setattr(
        "pet_dcgan.evaluation.plots.replacing", contextlib.nullcontext
    )
    path = tmp_path / "contrast.png"
    save_contrast(path, drawn, plane="axial", title="Study (phantom)")
    images = [axes.images[0] for axes in kept[0].axes if axes.images]
    np.testing.assert_array_equal(
        images[4].get_array(), drawn.maps["t", "synthetic"][1]
    )
    for image in images:
        low, high = image.get_clim()
        assert low == -high
    assert images[0].get_clim() == images[5].get_clim()
    assert images[0].get_clim()[1] > 5 * images[6].get_clim()[1]
    shown = texts(kept[0])
    assert {"L", "R", "−3 to 2 mm", "Study (phantom)\nAD minus NC"} <= shown
    save_contrast(path, drawn, plane="sagittal", title="Study")
    assert {"F", "B"} <= texts(kept[1])
