import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import toy_data
from toy_cohort import cohort_run
from toy_run import make_run as make_toy_run

from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation import evaluate as module
from pet_dcgan.evaluation import figures
from pet_dcgan.evaluation import images as loading
from pet_dcgan.evaluation.evaluate import Evaluation, evaluate
from pet_dcgan.metrics.image_quality import psnr, ssim
from pet_dcgan.models.sampling import synthetic_slices

pytestmark = pytest.mark.usefixtures("quick_encoder")
FIGURES = {
    "real_and_synthetic.png",
    "nearest.png",
    "closest.png",
    "histograms.png",
    "intensities.png",
    "spectrum.png",
    "bands.png",
}
CARD = {
    "stage": "AD",
    "plane": "axial",
    "phantom": True,
    "verdict": {
        "headline": "Look closer <here>.",
        "findings": [{"about": "Copies", "sign": "good", "words": "a < b"}],
    },
    "features": {
        "trained": {
            "kid": {
                "synthetic": {"value": 0.03, "standard_error": 0.002},
                "real": {"value": 0.004, "standard_error": 0.001},
            },
        }
    },
    "psnr": {
        "synthetic": {"nearest": {"mean": 21.584, "interval": [20.0, None]}},
        "real": None,
    },
}


@pytest.fixture(scope="module")
def small(toy_set, tmp_path_factory):
    """A run of two held-out subjects with its numbers, seed 5."""
    run = make_toy_run(tmp_path_factory.mktemp("small") / "secret", toy_set)
    return run, evaluate(run, seed=5, count=20)


@pytest.fixture
def no_figures(monkeypatch):
    """Numbers only, where a test is about them."""
    monkeypatch.setattr(module, "save_figures", lambda *args: {})


def instead(monkeypatch, images):
    """The generator makes these."""
    monkeypatch.setattr(loading, "synthetic_slices", lambda *a, **k: images)


def files(run):
    return {p.name: p.read_bytes() for p in run.evaluation.iterdir()}


def test_numbers_are_those_of_plain_loops(small, toy_set):
    run, metrics = small
    slices = load_slices(
        toy_set, "axial_32", split="test", stage="AD", plane="axial"
    )
    real, subjects = suvr_from_png(slices.images, 2.5), slices.subjects
    synthetic = synthetic_slices(
        run.load_generator(), np.arange(5, 5 + len(real)), suvr_max=2.5
    )
    for kind, images in (("synthetic", synthetic), ("real", real)):
        nearest = [
            min(
                real[subjects != subjects[i]],
                key=lambda r, x=x: ((r - x) ** 2).mean(),
            )
            for i, x in enumerate(images)
        ]
        decibels = psnr(np.array(nearest), images)
        found = metrics["psnr"][kind]["nearest"]
        assert found["mean"] == pytest.approx(decibels.mean(), abs=1e-5)
        assert found["n"] == len(real)
        alike = ssim(np.array(nearest), images, dynamic_range=2.5)
        found = metrics["ssim"][kind]["nearest"]["mean"]
        assert found == pytest.approx(alike.mean(), abs=1e-5)


def test_facts_beside_the_numbers(small):
    run, metrics = small
    counts = {"synthetic": 8, "held_out": 8, "synthetic_drawn": 20}
    assert metrics["images"] == counts
    counts = {"training": 3, "held_out": 2, "validation": 1}
    assert metrics["subjects"] == counts
    assert metrics["copies"]["images"] == 20
    pairs = [metrics["diversity"][k]["n"] for k in ("synthetic", "real")]
    assert pairs == [16, 16]
    assert metrics["training"]["slices"] == 12
    assert metrics["training"]["generator"]["chosen_by"] == "last epoch"
    assert metrics["candidates"] == {"synthetic": 4.0, "real": 4.0}
    assert metrics["no_real_against_real"] is None
    assert "root mean square" in metrics["pairing"]["nearest"]
    assert (metrics["preset"], metrics["stage"]) == ("demo", "AD")
    assert metrics["phantom"] is True
    wanted = "they need 8 held-out subjects or more, and there are 2"
    assert metrics["intervals"]["missing"] == wanted
    assert metrics["psnr"]["synthetic"]["nearest"]["interval"] is None
    assert wanted in (run.evaluation / "report.html").read_text()


def every_number(metrics):
    """Path and content of each number that has or could have an interval."""
    for name, found in metrics.items():
        if isinstance(found, dict) and "interval" in found:
            yield (name,), found
        elif isinstance(found, dict):
            for path, number in every_number(found):
                yield (name, *path), number


def test_every_number_has_its_baseline_and_interval(evaluated):
    metrics = evaluated[1]
    assert metrics["intervals"]["missing"] is None
    numbers = dict(every_number(metrics))
    assert len(numbers) == 58
    for path, number in numbers.items():
        if "real" in path:
            low, high = number["interval"]
            assert low <= high, path
            twin = tuple("synthetic" if n == "real" else n for n in path)
            assert twin in numbers
    # synthetic images of random weights may be nearest to few subjects
    lacking = {path[0] for path in numbers if not numbers[path]["interval"]}
    assert lacking <= {"psnr", "ssim", "windowed_ssim", "bands"}
    assert metrics["features"]["trained"]["images"] == 36


@pytest.mark.usefixtures("no_figures")
def test_images_of_new_subjects_are_like_real_ones(
    toy_cohort, tmp_path, monkeypatch
):
    """A healthy generator passes, and what real images reach is reached."""
    discs = [toy_data.disc("AD", 5_000 + i)[..., 0] for i in range(64)]
    instead(monkeypatch, suvr_from_png(np.stack(discs), 2.5))
    metrics = evaluate(cohort_run(tmp_path / "run", toy_cohort), count=64)
    assert metrics["copies"]["verdict"] == "no sign"
    findings = {f["about"]: f["sign"] for f in metrics["verdict"]["findings"]}
    assert set(findings.values()) == {"good"}, metrics["verdict"]["findings"]
    assert metrics["verdict"]["headline"].startswith("No defect found")


@pytest.mark.usefixtures("no_figures")
def test_a_generator_that_replays_training_images_is_caught(
    toy_cohort, tmp_path, monkeypatch
):
    slices = load_slices(
        toy_cohort, "axial_32", split="train", stage="AD", plane="axial"
    )
    replay = np.roll(suvr_from_png(slices.images, 2.5), 1, axis=2)
    instead(monkeypatch, np.concatenate([replay, replay]))
    run = cohort_run(tmp_path / "run", toy_cohort)
    metrics = evaluate(run, count=48)
    assert metrics["copies"]["verdict"] == "copies"
    assert metrics["verdict"]["sign"] == "bad"
    assert "Do not share" in metrics["verdict"]["headline"]
    assert "Do not share" in (run.evaluation / "report.html").read_text()


def test_same_run_and_seed_same_bytes(small):
    run, metrics = small
    before = files(run)
    assert set(before) == {"metrics.json", "report.html"} | FIGURES
    assert run.metrics() == metrics
    assert evaluate(run, seed=5, count=20) == metrics
    assert files(run) == before


def test_nothing_names_a_subject_or_a_place(small, toy_set):
    run, _ = small
    for name in ("metrics.json", "report.html"):
        text = (run.evaluation / name).read_text()
        text = re.sub(r"base64,[^\"]+", "", text)
        for word in ("999_S", str(toy_set), str(run.path), "secret", "/tmp"):
            assert word not in text
    text = (run.evaluation / "metrics.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.usefixtures("no_figures")
def test_another_seed_gives_other_numbers_and_steps_are_counted(
    make_run, small
):
    seen = []
    metrics = evaluate(
        make_run(), seed=1, count=3, progress=lambda *step: seen.append(step)
    )
    assert metrics["psnr"] != small[1]["psnr"]
    assert metrics["psnr"]["synthetic"]["random"]["n"] == 3
    assert "16 images" in metrics["features"]["trained"]["missing"]
    assert seen == [(done, 9) for done in range(1, 10)]


@pytest.mark.usefixtures("no_figures")
def test_one_held_out_subject_gives_no_real_against_real(make_run, monkeypatch):
    def load(*args, split, **options):
        slices = load_slices(*args, split=split, **options)
        if split != "test":
            return slices
        keep = slices.subjects == slices.subjects[0]
        return dataclasses.replace(
            slices, images=slices.images[keep], subjects=slices.subjects[keep]
        )

    monkeypatch.setattr(loading, "load_slices", load)
    run = make_run()
    metrics = evaluate(run, count=8)
    for name in ("psnr", "ssim", "bands", "diversity"):
        assert metrics[name]["real"] is None
    assert "two subjects, found one" in metrics["no_real_against_real"]
    assert metrics["psnr"]["synthetic"]["nearest"]["n"] == 4
    assert metrics["candidates"] == {"synthetic": 4, "real": 0.0}
    page = (run.evaluation / "report.html").read_text()
    assert "two subjects, found one" in page
    assert "and there is 1" in page


@pytest.mark.usefixtures("no_figures")
def test_stage_without_validation_subjects(make_run, monkeypatch):
    monkeypatch.setattr(loading, "subjects_of", lambda *_, **__: set())
    metrics = evaluate(make_run(subjects=["999_S_3000"]), count=8)
    assert metrics["subjects"]["validation"] == 0
    assert metrics["spectrum"]["distance"]["real"] is None
    assert metrics["intensity"]["wasserstein"]["real"] is None
    assert "no validation images" in metrics["missing"]["real_samples"]
    # one training subject
    assert metrics["copies"]["verdict"] is None


@pytest.mark.usefixtures("no_figures")
def test_inception_is_a_third_opinion(make_run, monkeypatch):
    class Pixels:
        facts = {"name": "inception"}  # noqa: RUF012

        def features(self, images):
            return images.reshape(len(images), -1)[:, ::16]

    scales = []

    def encoder(*, suvr_max):
        scales.append(suvr_max)
        return Pixels()

    place = "pet_dcgan.features.inception.inception_encoder"
    monkeypatch.setattr(place, encoder)
    metrics = evaluate(make_run(), encoder="inception", count=8)
    assert list(metrics["features"]) == ["trained", "random", "inception"]
    assert scales == [2.5]
    with pytest.raises(ValueError, match="among own, inception, found vgg"):
        evaluate(make_run, encoder="vgg")


def test_subjects_that_were_trained_on_stop_it_before_anything(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"])
    with pytest.raises(ValueError, match="held out, found 1: 999_S_3005"):
        evaluate(run)
    assert not run.evaluation.exists()


def test_generator_that_makes_nan_is_refused_and_old_numbers_stay(small):
    run, metrics = small
    generator = run.load_generator()
    kept = generator.get_weights()
    generator.set_weights([w * np.nan for w in kept])
    run.save_generator(generator)
    try:
        with pytest.raises(ValueError, match="found NaN or infinity"):
            evaluate(run, count=8)
    finally:
        generator.set_weights(kept)
        run.save_generator(generator)
    assert run.metrics() == metrics


def test_full_disk_leaves_the_old_numbers(small, monkeypatch, tmp_path):
    run, _ = small
    shutil.copytree(run.path, tmp_path / "copy")
    run = type(run).open(tmp_path / "copy")
    before = files(run)

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figures, "save_sheet", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(run, seed=1, count=8)
    assert files(run) == before


def test_a_notebook_shows_numbers_beside_those_of_real_images():
    evaluation = Evaluation(CARD)
    assert json.loads(json.dumps(evaluation)) == CARD == evaluation
    shown = evaluation._repr_html_()
    row = shown[shown.index("KID, trained encoder") :]
    assert row.index("0.030 ± 0.002") < row.index("0.004 ± 0.001")
    for text in ("21.58 [20.00, –]", "Phantom", "Not for diagnosis"):
        assert text in shown
    assert "Look closer &lt;here&gt;." in shown
    assert "a &lt; b" in shown
    empty = Evaluation()._repr_html_()
    assert "No verdict." in empty
    assert "Phantom" not in empty


def test_a_notebook_shows_what_evaluate_returned(evaluated):
    run, found = evaluated
    assert found == run.metrics()
    shown = found._repr_html_()
    assert found["verdict"]["headline"].split(":")[0] in shown
    for label in ("KID", "Coverage", "MS-SSIM", "PSNR", "SSIM", "twin"):
        row = shown[shown.index(label) :].split("</tr>")[0]
        assert "–" not in row.split("</td>")[1], label
