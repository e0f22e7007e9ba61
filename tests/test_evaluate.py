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
from pet_dcgan.evaluation import images as judging
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.metrics.image_quality import psnr, ssim
from pet_dcgan.models.networks import build_generator
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


@pytest.fixture(scope="module")
def held_out(toy_set):
    slices = load_slices(
        toy_set, "axial_32", split="test", stage="AD", plane="axial"
    )
    return suvr_from_png(slices.images, 2.5), slices.subjects


@pytest.fixture(scope="module")
def small(toy_set, tmp_path_factory):
    """A run of two held-out subjects with its numbers, seed 5."""
    run = make_toy_run(tmp_path_factory.mktemp("small") / "secret", toy_set)
    return run, evaluate(run, seed=5)


@pytest.fixture(scope="module")
def cohort(toy_cohort, tmp_path_factory):
    """A run of nine held-out subjects with its numbers."""
    place = tmp_path_factory.mktemp("cohort") / "secret"
    run = cohort_run(place, toy_cohort)
    return run, evaluate(run)


def no_figures(monkeypatch):
    """Numbers only, where a test is about them."""
    monkeypatch.setattr(module, "save_pictures", lambda *args: {})


def one_subject_only(monkeypatch):
    """Leaves the held-out slices of the first subject."""

    def load(*args, split, **options):
        slices = load_slices(*args, split=split, **options)
        if split != "test":
            return slices
        keep = slices.subjects == slices.subjects[0]
        return dataclasses.replace(
            slices, images=slices.images[keep], subjects=slices.subjects[keep]
        )

    monkeypatch.setattr(judging, "load_slices", load)


def files(run):
    return {p.name: p.read_bytes() for p in run.evaluation.iterdir()}


def test_numbers_are_those_of_plain_loops(small, held_out):
    run, metrics = small
    real, subjects = held_out
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
        assert found["median"] == pytest.approx(np.median(decibels), abs=1e-5)
        assert found["sd"] == pytest.approx(decibels.std(ddof=1), abs=1e-5)
        assert found["n"] == len(real)
        alike = ssim(np.array(nearest), images, dynamic_range=2.5)
        found = metrics["ssim"][kind]["nearest"]["mean"]
        assert found == pytest.approx(alike.mean(), abs=1e-5)


def test_facts_beside_the_numbers(small):
    _, metrics = small
    assert metrics["phantom"] is True
    assert metrics["images"] == {
        "synthetic": 8,
        "held_out": 8,
        "synthetic_drawn": 1000,
    }
    assert metrics["subjects"] == {
        "training": 3,
        "held_out": 2,
        "validation": 1,
    }
    assert metrics["training"]["slices"] == 12
    assert metrics["training"]["generator"]["chosen_by"] == "last epoch"
    assert metrics["candidates"] == {"synthetic": 4.0, "real": 4.0}
    assert metrics["no_real_against_real"] is None
    assert "root mean square" in metrics["pairing"]["nearest"]
    assert (metrics["preset"], metrics["stage"]) == ("demo", "AD")


def test_too_few_subjects_for_intervals_are_counted(small):
    run, metrics = small
    wanted = "they need 8 held-out subjects or more, and there are 2"
    assert metrics["intervals"]["missing"] == wanted
    assert metrics["psnr"]["synthetic"]["nearest"]["interval"] is None
    assert wanted in (run.evaluation / "report.html").read_text()


def test_every_number_has_its_baseline_and_interval(cohort):
    _, metrics = cohort
    assert metrics["intervals"]["missing"] is None
    paths = [
        *(
            (name, kind, rule)
            for name in ("psnr", "ssim", "windowed_ssim")
            for kind in ("synthetic", "real")
            for rule in ("nearest", "random")
        ),
        *(
            ("features", encoder, name, kind)
            for encoder in ("trained", "random")
            for name in (
                "kid",
                "frechet",
                "precision",
                "recall",
                "density",
                "coverage",
            )
            for kind in ("synthetic", "real")
        ),
        *(
            (*name, kind)
            for name in (
                ("diversity",),
                ("spectrum", "distance"),
                ("spectrum", "checkerboard"),
                ("spectrum", "finest_detail"),
                ("intensity", "wasserstein"),
            )
            for kind in ("synthetic", "real")
        ),
        *(
            ("bands", kind, band)
            for kind in ("synthetic", "real")
            for band in ("front", "back", "left", "right", "centre")
        ),
    ]
    few = [p for p in paths if p[1] == "synthetic" and p[0] != "diversity"]
    few = [p for p in few if p[2] != "random"]
    for path in paths:
        found = metrics
        for name in path:
            found = found[name]
        # random weights may be nearest to fewer subjects than that
        if found["interval"] is None and path in few:
            continue
        low, high = found["interval"]
        assert low <= high, path
    assert metrics["features"]["trained"]["images"] == 36


def test_images_of_new_subjects_are_like_real_ones(
    toy_cohort, tmp_path, monkeypatch
):
    """A healthy generator passes, and what real images reach is reached."""
    no_figures(monkeypatch)
    discs = [toy_data.disc("AD", 5_000 + i)[..., 0] for i in range(64)]
    fresh = suvr_from_png(np.stack(discs), 2.5)
    monkeypatch.setattr(judging, "synthetic_slices", lambda *a, **k: fresh)
    metrics = evaluate(cohort_run(tmp_path / "run", toy_cohort), count=64)
    assert metrics["copies"]["verdict"] == "no sign"
    findings = {f["about"]: f["sign"] for f in metrics["verdict"]["findings"]}
    assert set(findings.values()) == {"good"}, metrics["verdict"]["findings"]
    assert metrics["verdict"]["headline"].startswith("No defect found")


def test_a_generator_that_replays_training_images_is_caught(
    toy_cohort, tmp_path, monkeypatch
):
    slices = load_slices(
        toy_cohort, "axial_32", split="train", stage="AD", plane="axial"
    )
    replay = np.roll(suvr_from_png(slices.images, 2.5), 1, axis=2)
    replay = np.concatenate([replay, replay])
    monkeypatch.setattr(judging, "synthetic_slices", lambda *a, **k: replay)
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
    assert evaluate(run, seed=5) == metrics
    assert files(run) == before


def test_another_seed_gives_other_numbers(small, monkeypatch):
    run, metrics = small
    monkeypatch.setattr(module, "_write", lambda *args: None)
    monkeypatch.setattr(figures, "_WORDS", {})
    no_figures(monkeypatch)
    assert evaluate(run, seed=1)["psnr"] != metrics["psnr"]


def test_nothing_names_a_subject_or_a_place(small, toy_set):
    run, _ = small
    for name in ("metrics.json", "report.html"):
        text = (run.evaluation / name).read_text()
        text = re.sub(r"base64,[^\"]+", "", text)
        for word in ("999_S", str(toy_set), str(run.path), "secret", "/tmp"):
            assert word not in text
    text = (run.evaluation / "metrics.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_fewer_images_by_count(make_run, monkeypatch):
    no_figures(monkeypatch)
    metrics = evaluate(make_run(), count=3)
    assert metrics["images"] == {
        "synthetic": 3,
        "held_out": 3,
        "synthetic_drawn": 3,
    }
    assert metrics["psnr"]["synthetic"]["random"]["n"] == 3
    assert "16 images" in metrics["features"]["trained"]["missing"]


def test_more_images_by_count_are_for_copies_and_variety(make_run, monkeypatch):
    no_figures(monkeypatch)
    metrics = evaluate(make_run(), count=20)
    assert metrics["psnr"]["synthetic"]["nearest"]["n"] == 8
    assert metrics["copies"]["images"] == 20
    pairs = [metrics["diversity"][k]["n"] for k in ("synthetic", "real")]
    assert pairs == [16, 16]


def test_one_held_out_subject_gives_no_real_against_real(make_run, monkeypatch):
    one_subject_only(monkeypatch)
    run = make_run()
    metrics = evaluate(run)
    assert metrics["psnr"]["real"] is None
    assert metrics["ssim"]["real"] is None
    assert metrics["bands"]["real"] is None
    assert metrics["diversity"] == {"synthetic": None, "real": None}
    assert "two subjects, found one" in metrics["no_real_against_real"]
    assert metrics["psnr"]["synthetic"]["nearest"]["n"] == 4
    assert (
        "two subjects, found one"
        in (run.evaluation / "report.html").read_text()
    )


def test_one_training_subject_leaves_copies_open(make_run):
    run = make_run(subjects=["999_S_3000"])
    evaluate(run)
    metrics = run.metrics()
    assert metrics["copies"]["verdict"] is None
    assert "two training subjects" in metrics["copies"]["words"]
    assert metrics["training"]["slices"] == 4
    assert "closest.png" not in files(run)


def test_stage_without_validation_subjects(make_run, monkeypatch):
    def none(*args, stage="ALL", **options):
        return set()

    monkeypatch.setattr(judging, "subjects_of", none)
    no_figures(monkeypatch)
    metrics = evaluate(make_run())
    assert metrics["subjects"]["validation"] == 0
    assert metrics["spectrum"]["distance"]["real"] is None
    assert metrics["intensity"]["wasserstein"]["real"] is None
    assert "no validation images" in metrics["missing"]["real_samples"]


def test_perfect_copies_are_left_out_of_the_mean(
    make_run, held_out, monkeypatch
):
    real, subjects = held_out
    other = [np.flatnonzero(subjects != s)[0] for s in subjects]
    copies = real[other]
    monkeypatch.setattr(judging, "synthetic_slices", lambda *a, **k: copies)
    no_figures(monkeypatch)
    metrics = evaluate(make_run())
    empty = {"mean": None, "median": None, "sd": None, "n": 0}
    found = metrics["psnr"]["synthetic"]["nearest"]
    assert found == empty | {"interval": None}
    assert metrics["ssim"]["synthetic"]["nearest"]["mean"] == 1


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
    no_figures(monkeypatch)
    metrics = evaluate(make_run(), encoder="inception")
    assert list(metrics["features"]) == ["trained", "random", "inception"]
    assert scales == [2.5]


def test_progress_counts_to_the_end(make_run, monkeypatch):
    no_figures(monkeypatch)
    seen = []
    evaluate(make_run(), progress=lambda *step: seen.append(step))
    total = seen[0][1]
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_held_out_subject_that_was_trained_on_is_named(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"])
    with pytest.raises(ValueError, match="held out, found 1: 999_S_3005"):
        evaluate(run)
    assert not run.evaluation.exists()


def test_validation_subject_that_was_trained_on_is_named(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3003"])
    with pytest.raises(ValueError, match="held out, found 1: 999_S_3003"):
        evaluate(run)


def test_unfinished_run_is_refused(make_run):
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        evaluate(make_run(finished=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 1}, "count of 2 or more, found 1"),
        ({"seed": -1}, "seed of 0 or more, found -1"),
        ({"encoder": "vgg"}, "among own, inception, found vgg"),
    ],
)
def test_options_out_of_range_are_refused(make_run, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(make_run(), **options)


def test_a_run_that_started_from_one_of_all_stages_is_judged(
    make_run, monkeypatch
):
    no_figures(monkeypatch)
    own = [f"999_S_300{number}" for number in range(3)]
    run = make_run(subjects=["999_S_1000", *own], warm_start="runs/all")
    assert evaluate(run)["verdict"]


def test_whoever_a_run_started_from_must_not_be_judged(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"], warm_start="runs/all")
    with pytest.raises(ValueError, match="held out, found 1: 999_S_3005"):
        evaluate(run)


def test_set_of_another_scale_is_refused(make_run):
    with pytest.raises(ValueError, match=r"suvr_max 3.0, found 2.5"):
        evaluate(make_run(suvr_max=3.0))


def test_set_of_another_plane_is_refused(make_run):
    with pytest.raises(ValueError, match="expected coronal slices"):
        evaluate(make_run(plane="coronal"))


def test_set_without_the_training_subjects_is_refused(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_8888"])
    with pytest.raises(ValueError, match="found none of 1: 999_S_8888"):
        evaluate(run)


def test_generator_of_another_size_is_refused(make_run):
    run = make_run()
    run.save_generator(
        build_generator(size=64, channels=1, latent_dim=6, width=4)
    )
    with pytest.raises(ValueError, match=r"32x32 images.*found 64x64"):
        evaluate(run)


@pytest.mark.parametrize(("value", "varied"), [(0.0, 1e-3), (1.2, 0.0)])
def test_images_black_or_of_one_grey_are_refused(
    make_run, monkeypatch, value, varied
):
    flat = np.full([8, 32, 32], value, np.float32)
    flat[:, 8:, 8:] += varied
    monkeypatch.setattr(judging, "synthetic_slices", lambda *a, **k: flat)
    with pytest.raises(ValueError, match="black or of one grey"):
        evaluate(make_run())


def test_generator_that_makes_nan_is_refused_and_old_numbers_stay(small):
    run, metrics = small
    generator = run.load_generator()
    kept = generator.get_weights()
    generator.set_weights([w * np.nan for w in kept])
    run.save_generator(generator)
    try:
        with pytest.raises(ValueError, match="found NaN or infinity"):
            evaluate(run)
    finally:
        generator.set_weights(kept)
        run.save_generator(generator)
    assert run.metrics() == metrics


def test_full_disk_leaves_the_old_numbers(small, monkeypatch, tmp_path):
    run, _ = small
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    run = type(run).open(copy)
    before = files(run)

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figures, "save_real_and_synthetic", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(run, seed=1)
    assert files(run) == before
