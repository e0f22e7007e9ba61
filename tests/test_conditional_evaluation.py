"""The evaluation of a run with conditions."""

import json

import numpy as np
import pytest
from toy_conditional_run import CONDITIONS, conditional_run
from toy_run import make_run

from pet_dcgan.conditions import Conditions
from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.evaluation import conditional_images, conditional_scores
from pet_dcgan.evaluation import evaluate as evaluation
from pet_dcgan.evaluation.assessment import assessment_lines, next_step
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.report import metric_rows
from pet_dcgan.models import classifier
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.run import Run

pytestmark = pytest.mark.usefixtures("quick_encoder", "quick")


class Pooled:
    """Means of blocks in place of an encoder's features."""

    def __init__(self):
        self.facts = {"name": "pooled"}

    def features(self, images):
        return (
            images.reshape(len(images), 4, 8, 4, 8).mean((2, 4)).reshape(-1, 16)
        )


@pytest.fixture(scope="module")
def quick():
    """No encoder is trained, a classifier for a few steps, of few latents."""
    whole = classifier.train_classifier

    def hasty(*args, **options):
        return whole(*args, **options | {"steps": 20})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditional_scores, "train_classifier", hasty)
        patch.setattr(conditional_images, "LATENTS", 12)
        patch.setattr(
            evaluation, "_encoders", lambda *args: {"trained": Pooled()}
        )
        yield


@pytest.fixture(scope="module")
def conditional(toy_cohort, quick_encoder, quick, tmp_path_factory):
    """A run of nine held-out subjects a stage, and its evaluation."""
    folder = tmp_path_factory.mktemp("conditional")
    run = conditional_run(folder / "run", toy_cohort, training=6)
    beside = make_run(
        folder / "ad",
        toy_cohort,
        subjects=[f"999_S_3{n:03}" for n in range(6)],
    )
    return run, evaluate(run, search=64, beside=[beside.path])


def test_what_is_written_is_read_again(conditional):
    run, metrics = conditional
    assert run.metrics() == json.loads(json.dumps(metrics))
    assert metrics["conditional"] is True
    assert (metrics["stage"], metrics["plane"]) == ("ALL", "axial")
    assert metrics["subjects"]["held_out"] == 27
    assert Conditions.from_dict(metrics["conditions"]) == CONDITIONS


def test_every_stage_is_measured_beside_real_ones(conditional):
    _, metrics = conditional
    stages = metrics["planes"]["axial"]["stages"]
    assert list(stages) == ["NC", "MCI", "AD"]
    for found in stages.values():
        assert found["missing"] is None
        assert found["images"] == 36
        for name in ("kid", "recall", "precision", "coverage"):
            numbers = found["features"]["trained"][name]
            assert numbers["synthetic"]["value"] is not None
            assert numbers["real"]["value"] is not None
        assert found["variety"]["ratio"]["value"] > 0


def test_copies_are_searched_for_among_all_stages(conditional):
    _, metrics = conditional
    assert metrics["copies"]["images"] == 64
    assert metrics["copies"]["held_out_subjects"] == 54
    assert metrics["membership"]["training_subjects"] == 18


def test_conditions_are_judged(conditional):
    _, metrics = conditional
    plane = metrics["planes"]["axial"]
    position, stage = plane["position"], plane["stage"]
    assert position["error_mm"]["real"]["value"] > 0
    assert len(plane["positions_mm"]) == 6
    assert stage["chance"] == pytest.approx(1 / 3, abs=1e-6)
    for answers in stage["confusion"]["real"].values():
        assert sum(answers.values()) == pytest.approx(1, abs=1e-5)
    assert plane["contrast"]["subjects"] == {"NC": 18, "AD": 18}
    assert len(plane["contrast"]["regions"]) == 9


def test_separate_generators_stand_beside(conditional):
    _, metrics = conditional
    stages = metrics["planes"]["axial"]["stages"]
    assert "beside" not in stages["NC"]
    found = stages["AD"]["beside"]["trained"]["kid"]["synthetic"]
    own = stages["AD"]["features"]["trained"]["kid"]["synthetic"]
    assert found["value"] != own["value"]
    headings, rows = metric_rows({"ALL": metrics})
    assert [row[0] for row in rows[-1:]] == ["AD axial separate generator"]
    assert {len(row) for row in rows} == {len(headings)}


def test_the_page_and_the_console_say_what_it_is(conditional):
    run, metrics = conditional
    page = (run.evaluation / "report.html").read_text(encoding="utf-8")
    assert "<h1>Every stage, axial, preset demo</h1>" in page
    assert "PHANTOM" in page
    assert "never a prognosis" in page
    assert "only if together they took as many steps" in page
    for name in metrics["figures"]:
        assert (run.evaluation / name).is_file()
    assert {
        "axial_positions.png",
        "axial_stages.png",
        "axial_seeds.png",
    } <= set(metrics["figures"])
    lines = assessment_lines(metrics)
    assert lines[0].startswith("Assessment (every stage, axial, PHANTOM data)")
    assert "999_S" not in page
    assert next_step(metrics, "runs/all")
    assert "every stage, axial" in metrics._repr_html_()


def test_a_generator_that_ignores_its_conditions_is_not_to_be_used(
    toy_cohort, tmp_path
):
    run = conditional_run(tmp_path / "run", toy_cohort, training=6, obeys=False)
    metrics = evaluate(run, search=16)
    plane = metrics["planes"]["axial"]
    assert plane["stage"]["accuracy"]["synthetic"]["value"] == pytest.approx(
        1 / 3, abs=1e-6
    )
    assert plane["position"]["slope"]["synthetic"]["value"] == pytest.approx(
        0, abs=1e-6
    )
    assert plane["contrast"]["missing"]
    assert metrics["assessment"]["headline"].startswith("Do not use")


def test_the_same_seed_gives_the_same_bytes(toy_set, tmp_path):
    run = conditional_run(tmp_path / "run", toy_set)
    found = []
    for _ in range(2):
        evaluate(run, search=16, seed=3)
        files = sorted(run.evaluation.iterdir())
        found.append({file.name: file.read_bytes() for file in files})
    assert found[0] == found[1]


def test_few_subjects_say_why_a_number_is_missing(toy_set, tmp_path):
    run = conditional_run(
        tmp_path / "run",
        toy_set,
        conditions=Conditions(
            names=("stage",), bands_mm={"axial": (-1.5, 18.0)}
        ),
    )
    metrics = evaluate(run, search=16, count=4)
    assert set(metrics["images"].values()) == {3 * 4}
    page = (run.evaluation / "report.html").read_text("utf-8")
    assert "axial from -1.5 to 18 mm" in page
    plane = metrics["planes"]["axial"]
    assert plane["positions_mm"] is None
    for found in (plane["position"], plane["contrast"]):
        assert found["missing"] == "position is no condition of this run"
    kid = plane["stages"]["AD"]["features"]["trained"]
    assert "features need 16 images" in kid["missing"]


def test_whoever_is_held_out_was_not_trained_on(toy_set, tmp_path):
    run = conditional_run(tmp_path / "run", toy_set, training=5)
    with pytest.raises(DataLeakageError):
        evaluate(run, search=16)


def test_training_subjects_have_to_be_in_the_set(toy_set, tmp_path):
    run = conditional_run(tmp_path / "run", toy_set)
    run = Run.create(
        tmp_path / "other",
        run.config,
        [*run.subjects, "999_S_9999"],
        conditions=CONDITIONS,
    )
    (run.path / "generator.keras").write_bytes(
        (tmp_path / "run" / "generator.keras").read_bytes()
    )
    with pytest.raises(ValueError, match="found none of 1: 999_S_9999"):
        evaluate(run, search=16)


def test_what_does_not_fit_is_not_set_beside(toy_set, tmp_path):
    run = conditional_run(tmp_path / "run", toy_set)
    alone = make_run(tmp_path / "ad", toy_set)
    with pytest.raises(ValueError, match="expected a run with conditions"):
        evaluate(alone, beside=[alone.path])
    with pytest.raises(ValueError, match="one run of AD axial slices"):
        evaluate(run, beside=[alone, alone.path])
    with pytest.raises(ValueError, match="expected runs of one stage"):
        evaluate(run, beside=[run])
    wide = make_run(tmp_path / "wide", toy_set, spacing_mm=3.0)
    with pytest.raises(ValueError, match=r"with spacing_mm 6\.0, found 3\.0"):
        evaluate(run, beside=[wide])
    with pytest.raises(FileNotFoundError):
        evaluate(run, beside=[tmp_path / "nothing"])
    pair = Conditions(
        names=("stage",), stages=("NC", "AD"), bands_mm={"axial": (0.0, 18.0)}
    )
    two = conditional_run(tmp_path / "two", toy_set, conditions=pair)
    between = make_run(tmp_path / "mci", toy_set, "MCI")
    with pytest.raises(ValueError, match="a stage among NC, AD, found MCI"):
        evaluate(two, beside=[between])


def test_a_seed_has_the_latent_that_it_has_everywhere(toy_set, tmp_path):
    run = conditional_run(tmp_path / "run", toy_set)
    images = conditional_images.conditional_images(
        run, data_dir=None, count=None, seed=3, search=16
    )
    network = asked(run.load_generator(), stage="AD", position_mm=6.0)
    expected = synthetic_slices(network, [3, 4], suvr_max=2.5)
    found = images.at("axial", "AD", 6.0, 2)
    np.testing.assert_allclose(found, expected, atol=1e-4)
