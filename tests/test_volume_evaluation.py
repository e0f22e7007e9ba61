"""The evaluation of a run of volumes."""

import importlib.util
import json

import numpy as np
import pytest
from toy_volume_run import prepare, volume_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.evaluation import (
    evaluate as evaluation,
)
from pet_dcgan.evaluation import (
    volume_conditions,
    volume_images,
    volume_maps,
    volumes,
)
from pet_dcgan.evaluation.assessment import assessment_lines, next_step
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.report import metric_rows
from pet_dcgan.features.volume_encoder import random_volume_encoder
from pet_dcgan.models import classifier
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs import run as runs


@pytest.fixture(scope="module", autouse=True)
def quick():
    """No encoder is trained, a classifier for a few steps; few volumes."""
    whole = classifier.train_classifier

    def hasty(*args, **options):
        return whole(*args, **options | {"steps": 20})

    def untrained(volumes_suvr, *, subjects, seed):
        return random_volume_encoder(volumes_suvr, seed=seed + 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volume_conditions, "train_classifier", hasty)
        patch.setattr(runs, "train_volume_encoder", untrained)
        patch.setattr(volume_images, "_SYNTHETIC", 16)
        yield


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def evaluated(cohort, tmp_path_factory):
    """A run of every stage, nine test subjects each, and its evaluation."""
    run = volume_run(tmp_path_factory.mktemp("run") / "run", cohort)
    return run, evaluate(run, search=32)


@pytest.fixture
def undrawn(monkeypatch):
    """Figures take most of the time."""
    monkeypatch.setattr(evaluation, "save_volume_figures", lambda *_: {})


def test_what_is_written_is_read_again(evaluated):
    run, metrics = evaluated
    assert run.metrics() == json.loads(json.dumps(metrics))
    assert metrics["volume"] is True
    assert metrics["conditional"] is True
    assert metrics["space"] == "native"
    assert metrics["subjects"]["held_out"] == 27
    assert metrics["images"]["held_out"] == 27


def test_every_stage_is_measured_beside_real_ones(evaluated):
    _, metrics = evaluated
    stages = metrics["planes"]["volume"]["stages"]
    assert list(stages) == ["NC", "MCI", "AD"]
    for found in stages.values():
        assert found["missing"] is None
        assert found["subjects"] == {"training": 4, "held_out": 18}
        # as many as held-out ones, which are more than sixteen
        assert found["images"] == 18
        assert 0 < found["diversity"]["real"]["mean"] < 1
        for name in ("ratio", "axes_ratio", "axes"):
            assert found["roughness"][name]
        regions = found["regions"]
        assert regions["error"]["real"]["value"] > 0
        assert len(regions["difference"]) == len(regions["mean"]["real"])
        assert found["intensity"]["wasserstein"]["real"]["value"] > 0


def test_sets_are_compared_with_stages_mixed_alike(evaluated):
    _, metrics = evaluated
    found = metrics["planes"]["volume"]["features"]
    assert set(found) == {"trained", "random"}
    for numbers in found.values():
        assert numbers["images"] == 27
        assert numbers["kid"]["synthetic"]["value"] is not None
        assert numbers["kid"]["real"]["value"] is not None


def test_the_stage_is_judged(evaluated):
    _, metrics = evaluated
    found = metrics["planes"]["volume"]
    assert found["stage"]["chance"] == pytest.approx(1 / 3, abs=1e-6)
    for answers in found["stage"]["confusion"]["real"].values():
        assert sum(answers.values()) == pytest.approx(1, abs=1e-5)
    assert found["identity"]["stages"] == ["NC", "AD"]
    assert found["contrast"]["subjects"] == {"NC": 18, "AD": 18}
    assert "left insula" in found["contrast"]["regions"]


def test_copies_are_searched_for_among_all_stages(evaluated):
    _, metrics = evaluated
    assert metrics["copies"]["images"] == 32
    assert metrics["copies"]["held_out_subjects"] == 54
    assert metrics["membership"]["training_subjects"] == 12


def test_the_page_and_the_console_say_what_it_is(evaluated):
    run, metrics = evaluated
    page = (run.evaluation / "report.html").read_text(encoding="utf-8")
    assert "<h1>Every stage, whole volumes, preset demo</h1>" in page
    assert "PHANTOM" in page
    assert "32 x 32 x 32 voxels of 7 mm" in page
    assert "never a prognosis" in page
    assert "not registered to a template" in page
    assert "999_S" not in page
    assert "slices alone" not in page
    for name in metrics["figures"]:
        assert (run.evaluation / name).is_file()
    lines = assessment_lines(metrics)
    assert lines[0].startswith(
        "Assessment (every stage, whole volumes, PHANTOM data)"
    )
    headings, rows = metric_rows({"ALL": metrics})
    assert {len(row) for row in rows} == {len(headings)}
    assert next_step(metrics, "runs/all")
    assert "whole volumes" in metrics._repr_html_()


def test_three_planes_are_drawn_where_nilearn_is(evaluated):
    _, metrics = evaluated
    drawn = {"means.png", "contrast.png"} <= set(metrics["figures"])
    assert drawn == (importlib.util.find_spec("nilearn") is not None)
    assert {"nc_volumes.png", "stages.png", "closest.png", "slices.png"} <= set(
        metrics["figures"]
    )


def test_without_nilearn_the_page_says_what_is_missing(
    evaluated, cohort, monkeypatch, tmp_path
):
    reason = volume_maps.INSTALL
    monkeypatch.setattr(volume_maps, "missing_maps", lambda: reason)
    monkeypatch.setattr(volumes, "missing_maps", lambda: reason)
    assert volume_maps.save_volume_maps(tmp_path, None, None) == {}
    run = volume_run(tmp_path / "run", cohort, stage="AD")
    metrics = evaluate(run, search=16)
    assert "means.png" not in metrics["figures"]
    page = (run.evaluation / "report.html").read_text(encoding="utf-8")
    assert "pet-dcgan[volumes]" in page


@pytest.mark.usefixtures("undrawn")
def test_a_run_of_one_stage(cohort, tmp_path):
    run = volume_run(tmp_path / "run", cohort, stage="AD")
    metrics = evaluate(run, search=16)
    assert run.metrics() == json.loads(json.dumps(metrics))
    assert metrics["conditional"] is False
    assert "conditions" not in metrics
    found = metrics["planes"]["volume"]
    assert list(found["stages"]) == ["AD"]
    assert "contrast" not in found
    about = [each["about"] for each in metrics["assessment"]["findings"]]
    assert about == [
        *("Copies", "Likeness", "Variety", "Coverage", "Uptake"),
        *("Slices", "Texture"),
    ]
    page = (run.evaluation / "report.html").read_text(encoding="utf-8")
    assert "<h1>AD whole volumes, preset demo</h1>" in page
    assert "Two synthetic slices do not belong" not in page


@pytest.mark.usefixtures("undrawn")
def test_the_same_seed_gives_the_same_bytes(cohort, tmp_path):
    run, found = volume_run(tmp_path / "run", cohort, stage="NC"), []
    for _ in range(2):
        evaluate(run, search=16, seed=3, count=6)
        found.append((run.evaluation / "metrics.json").read_bytes())
    assert found[0] == found[1]
    assert run.metrics()["images"]["synthetic"] == 6


@pytest.mark.usefixtures("undrawn")
def test_few_subjects_say_why_a_number_is_missing(toy_volumes, tmp_path):
    run = volume_run(tmp_path / "run", toy_volumes, training=3)
    metrics = evaluate(run, search=16, count=4)
    found = metrics["planes"]["volume"]
    kid = found["features"]["trained"]
    assert "features need 16 images" in kid["missing"]
    assert found["stages"]["AD"]["diversity"]["ratio"]["interval"] is None
    assert found["stages"]["AD"]["regions"]["error"]["real"]["value"] is None
    assert metrics["assessment"]["headline"].startswith("Not enough evidence")


def test_a_seed_has_the_latent_that_it_has_everywhere(cohort, tmp_path):
    run = volume_run(tmp_path / "run", cohort)
    images = volume_images.volume_images(
        run, data_dir=None, count=4, seed=3, search=16
    )
    network = asked(run.load_generator(), stage="AD")
    expected = synthetic_slices(network, [3, 4], suvr_max=2.5)
    found = images.synthetic("AD")
    assert len(found) == 4
    np.testing.assert_allclose(found[:2], expected, atol=1e-4)


def test_whoever_is_held_out_was_not_trained_on(cohort, tmp_path):
    run = volume_run(tmp_path / "run", cohort, training=5)
    with pytest.raises(DataLeakageError):
        evaluate(run, search=16)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"encoder": "inception"}, "expected an encoder of volumes"),
        ({"beside": ["runs/ad"]}, "expected a run of slices to set others"),
        ({"count": 1}, "expected a count of 2 or more"),
        ({"search": 0}, "one image or more to search"),
    ],
)
def test_what_is_refused(options, words, cohort, tmp_path):
    run = volume_run(tmp_path / "run", cohort)
    with pytest.raises(ValueError, match=words):
        evaluate(run, **options)


def test_another_voxel_size_is_refused(cohort, tmp_path):
    run = volume_run(tmp_path / "run", cohort, spacing_mm=3.5)
    with pytest.raises(ValueError, match=r"spacing_mm 3\.5, found 7\.0"):
        evaluate(run, search=16)
