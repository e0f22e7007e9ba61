import copy
import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from toy_cohort import cohort_run
from toy_run import make_run as make_toy_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation import evaluate as module
from pet_dcgan.evaluation import figures, synthetic_images
from pet_dcgan.evaluation import images as loading
from pet_dcgan.evaluation.evaluate import Evaluation, evaluate
from pet_dcgan.metrics.image_quality import psnr, ssim
from pet_dcgan.models.sampling import synthetic_slices

pytestmark = pytest.mark.usefixtures("quick_encoder")


@pytest.fixture(scope="module")
def small(toy_set, quick_encoder, tmp_path_factory):
    """A run of two held-out subjects with its numbers, without figures."""
    run = make_toy_run(tmp_path_factory.mktemp("small") / "run", toy_set)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_figures", lambda *args: {})
        return run, evaluate(run, seed=5, count=20, search=40)


@pytest.fixture
def no_figures(monkeypatch):
    """Numbers only, where a test is about them."""
    monkeypatch.setattr(module, "save_figures", lambda *args: {})


def replace_generated(monkeypatch, images):
    """Replaces what the generator makes."""
    monkeypatch.setattr(
        synthetic_images,
        "synthetic_slices",
        lambda generator, seeds, **options: images[seeds % len(images)],
    )


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
    assert metrics["copies"]["images"] == 40
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
    assert len(numbers) == 115
    for path, number in numbers.items():
        if "real" in path:
            low, high = number["interval"]
            assert low <= high, path
            twin = tuple("synthetic" if n == "real" else n for n in path)
            assert twin in numbers
    # synthetic images of random weights may be nearest to few subjects
    lacking = {path[0] for path in numbers if not numbers[path]["interval"]}
    assert lacking <= {"psnr", "ssim", "windowed_ssim", "regions"}
    assert metrics["features"]["trained"]["images"] == 36


@pytest.mark.usefixtures("no_figures")
def test_images_of_new_subjects_pass_and_replayed_training_images_do_not(
    toy_cohort, tmp_path, monkeypatch
):
    run = cohort_run(tmp_path / "run", toy_cohort)
    # those of the set itself: by chance others differ from so few subjects
    new = [
        load_slices(
            toy_cohort, "axial_32", split=split, stage="AD", plane="axial"
        )
        for split in ("test", "validation")
    ]
    discs = np.concatenate([each.images for each in new])[:64]
    replace_generated(monkeypatch, suvr_from_png(discs, 2.5))
    metrics = evaluate(run, count=64, search=64)
    assert metrics["copies"]["verdict"] == "no sign"
    found = metrics["assessment"]["findings"]
    findings = {f["about"]: f["sign"] for f in found}
    # of six training subjects these discs are suspects as often as real ones
    assert findings.pop("Copies") == "unknown"
    assert set(findings.values()) == {"good"}, metrics["assessment"]["findings"]
    assert metrics["assessment"]["headline"].startswith("No defect found")

    slices = load_slices(
        toy_cohort, "axial_32", split="train", stage="AD", plane="axial"
    )
    replay = np.roll(suvr_from_png(slices.images, 2.5), 1, axis=2)
    replace_generated(monkeypatch, np.concatenate([replay, replay]))
    # fewer are compared, all are searched for copies
    monkeypatch.setattr(module, "feature_scores", lambda *args: {})
    metrics = evaluate(run, count=48, search=96)
    assert metrics["copies"]["verdict"] == "copies"
    assert metrics["assessment"]["sign"] == "bad"
    assert "Do not share" in metrics["assessment"]["headline"]
    assert "Do not share" in (run.evaluation / "report.html").read_text()


@pytest.mark.usefixtures("no_figures")
def test_same_run_and_seed_same_bytes(small):
    run, metrics = small
    before = files(run)
    assert run.metrics() == metrics
    assert evaluate(run, seed=5, count=20, search=40) == metrics
    assert files(run) == before


def test_what_is_written_names_no_subject_and_no_place(evaluated):
    run, metrics = evaluated
    written = {"metrics.json", "report.html", "SHA256SUMS"}
    assert set(files(run)) == written | set(metrics["figures"])
    assert run.metrics() == metrics
    for name in ("metrics.json", "report.html"):
        text = (run.evaluation / name).read_text()
        text = re.sub(r"base64,[^\"]+", "", text)
        for word in ("999_S", run.config.data_dir, str(run.path), "/tmp"):
            assert word not in text
    text = (run.evaluation / "metrics.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_a_run_that_saw_a_held_out_subject_is_refused(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"])
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3005"):
        evaluate(run)
    assert not run.evaluation.exists()


@pytest.mark.usefixtures("no_figures")
def test_another_seed_inception_and_the_count_of_steps(
    make_run, small, monkeypatch
):
    def inception(*, suvr_max):
        assert suvr_max == 2.5
        return SimpleNamespace(facts={"name": "inception"})

    seen = []
    place = "pet_dcgan.features.inception.inception_encoder"
    monkeypatch.setattr(place, inception)
    run = make_run()
    metrics = evaluate(
        run,
        seed=1,
        count=3,
        encoder="inception",
        progress=lambda *step: seen.append(step),
    )
    assert metrics["psnr"] != small[1]["psnr"]
    assert metrics["psnr"]["synthetic"]["random"]["n"] == 3
    assert list(metrics["features"]) == ["trained", "random", "inception"]
    assert "16 images" in metrics["features"]["trained"]["missing"]
    assert metrics["features"]["inception"]["encoder"]["name"] == "inception"
    assert seen == [(done, 9) for done in range(1, 10)]
    with pytest.raises(ValueError, match="among own, inception, found vgg"):
        evaluate(run, encoder="vgg")


@pytest.mark.usefixtures("no_figures")
def test_one_subject_to_train_and_to_hold_out_and_none_for_validation(
    make_run, monkeypatch
):
    def load(*args, split, **options):
        slices = load_slices(*args, split=split, **options)
        if split == "test":
            keep = slices.subjects == slices.subjects[0]
            slices = dataclasses.replace(
                slices,
                images=slices.images[keep],
                subjects=slices.subjects[keep],
            )
        return slices

    monkeypatch.setattr(loading, "load_slices", load)
    monkeypatch.setattr(loading, "subjects_of", lambda *_, **__: set())
    run = make_run(subjects=["999_S_3000"])
    metrics = evaluate(run, count=8, search=8)
    for name in ("psnr", "ssim", "diversity"):
        assert metrics[name]["real"] is None
    assert metrics["regions"]["difference"]["real"] is None
    ceiling = metrics["regions"]["agreement"]["correlation"]["real"]
    assert ceiling["value"] is None
    assert "two subjects, found one" in metrics["no_real_against_real"]
    assert metrics["psnr"]["synthetic"]["nearest"]["n"] == 4
    assert metrics["candidates"] == {"synthetic": 4, "real": 0.0}
    assert metrics["subjects"]["validation"] == 0
    assert metrics["spectrum"]["distance"]["real"] is None
    assert metrics["intensity"]["wasserstein"]["real"] is None
    assert "no validation images" in metrics["missing"]["real_samples"]
    assert metrics["copies"]["verdict"] is None
    page = (run.evaluation / "report.html").read_text()
    assert "two subjects, found one" in page
    assert "and there is 1" in page


def test_a_diverged_generator_and_a_full_disk_leave_the_old_numbers(
    small, monkeypatch
):
    run, _ = small
    before = files(run)

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figures, "save_sheet", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(run, seed=1, count=8, search=8)
    generator = run.load_generator()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    monkeypatch.setattr(type(run), "load_generator", lambda run: generator)
    with pytest.raises(ValueError, match="found NaN or infinity"):
        evaluate(run, count=8, search=8)
    assert files(run) == before


def test_a_notebook_shows_numbers_beside_those_of_real_images(evaluated):
    found = evaluated[1]
    assert json.loads(json.dumps(found)) == found
    shown = found._repr_html_()
    for label in ("KID", "Coverage", "MS-SSIM", "PSNR", "SSIM", "Near dup"):
        row = shown[shown.index(label) :].split("</tr>")[0]
        assert "–" not in row.split("</td>")[1], label
    card = copy.deepcopy(found)
    card["assessment"]["headline"] = "Look closer <here>."
    card["assessment"]["findings"][0]["words"] = "a < b"
    kid = card["features"]["trained"]["kid"]
    kid["synthetic"] = {"value": 0.03, "interval": [0.01, 0.05]}
    kid["real"] = {"value": 0.004, "interval": None}
    number = {"mean": 21.584, "interval": [20.0, None]}
    card["psnr"]["synthetic"]["nearest"] = number
    shown = Evaluation(card)._repr_html_()
    row = shown[shown.index("KID, trained encoder") :]
    assert row.index("0.030 [0.010, 0.050]") < row.index("0.004")
    for text in (
        "21.58 [20.00, –]",
        "Phantom",
        "Not for diagnosis",
        "Look closer &lt;here&gt;.",
        "a &lt; b",
    ):
        assert text in shown
    empty = Evaluation()._repr_html_()
    assert "Not assessed." in empty
    assert "Phantom" not in empty
