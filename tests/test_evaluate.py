import dataclasses
import json

import numpy as np
import pytest

from pet_dcgan import evaluate as module
from pet_dcgan.data import load_slices
from pet_dcgan.evaluate import evaluate
from pet_dcgan.intensity import suvr_from_png
from pet_dcgan.metrics.psnr import psnr
from pet_dcgan.metrics.ssim import ssim
from pet_dcgan.sampling import synthetic_slices


@pytest.fixture(scope="module")
def held_out(toy_set):
    slices = load_slices(
        toy_set, "axial_32", split="test", stage="AD", plane="axial"
    )
    return suvr_from_png(slices.images, 2.5), slices.subjects


def one_subject_only(monkeypatch):
    """Leaves the held-out slices of the first subject."""

    def load(*args, **options):
        slices = load_slices(*args, **options)
        keep = slices.subjects == slices.subjects[0]
        return dataclasses.replace(
            slices, images=slices.images[keep], subjects=slices.subjects[keep]
        )

    monkeypatch.setattr(module, "load_slices", load)


def test_numbers_are_those_of_plain_loops(make_run, held_out):
    run = make_run()
    metrics = evaluate(run, seed=5)
    real, subjects = held_out
    synthetic = synthetic_slices(
        run.load_generator(), np.arange(5, 5 + len(real)), suvr_max=2.5
    )
    for kind, images, keep in (
        ("synthetic", synthetic, lambda i: subjects != ""),
        ("real", real, lambda i: subjects != subjects[i]),
    ):
        nearest = [
            min(real[keep(i)], key=lambda r, x=x: ((r - x) ** 2).mean())
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


def test_facts_beside_the_numbers(make_run):
    metrics = evaluate(make_run())
    assert metrics["phantom"] is True
    assert metrics["images"] == {"synthetic": 8, "held_out": 8}
    assert metrics["subjects"] == {"training": 3, "held_out": 2}
    assert metrics["candidates"] == {"synthetic": 8, "real": 4.0}
    assert metrics["no_real_against_real"] is None
    assert "root mean square" in metrics["pairing"]["nearest"]
    assert (metrics["preset"], metrics["stage"]) == ("demo", "AD")


def test_same_run_and_seed_same_bytes(make_run):
    run = make_run()
    written = []
    for seed in (0, 0, 1):
        returned = evaluate(run, seed=seed)
        written.append(
            {p.name: p.read_bytes() for p in run.evaluation.iterdir()}
        )
        assert run.metrics() == returned
    assert set(written[0]) == {
        "metrics.json",
        "histograms.png",
        "real_and_synthetic.png",
    }
    assert written[0] == written[1]
    assert written[0]["metrics.json"] != written[2]["metrics.json"]


def test_json_names_no_subject_and_no_place(make_run, toy_set):
    run = make_run()
    evaluate(run)
    text = (run.evaluation / "metrics.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))
    for word in ("999_S", str(toy_set), str(run.path)):
        assert word not in text


def test_fewer_images_by_count(make_run):
    metrics = evaluate(make_run(), count=3)
    assert metrics["images"] == {"synthetic": 3, "held_out": 3}
    assert metrics["psnr"]["synthetic"]["random"]["n"] == 3


def test_one_held_out_subject_gives_no_real_against_real(make_run, monkeypatch):
    one_subject_only(monkeypatch)
    metrics = evaluate(make_run())
    assert metrics["psnr"]["real"] is None
    assert metrics["ssim"]["real"] is None
    assert "two subjects, found one" in metrics["no_real_against_real"]
    assert metrics["psnr"]["synthetic"]["nearest"]["n"] == 4


def test_perfect_copies_are_left_out_of_the_mean(
    make_run, held_out, monkeypatch
):
    copies = held_out[0].copy()
    monkeypatch.setattr(module, "synthetic_slices", lambda *a, **k: copies)
    metrics = evaluate(make_run())
    empty = {"mean": None, "median": None, "sd": None, "n": 0}
    assert metrics["psnr"]["synthetic"]["nearest"] == empty
    assert metrics["ssim"]["synthetic"]["nearest"]["mean"] == 1


def test_held_out_subject_that_was_trained_on_is_named(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"])
    with pytest.raises(ValueError, match="999_S_3005"):
        evaluate(run)
    assert not run.evaluation.exists()


def test_unfinished_run_is_refused(make_run):
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        evaluate(make_run(finished=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 9}, r"count from 1 to 8 \(the held-out slices\), found 9"),
        ({"count": 0}, "found 0"),
        ({"seed": -1}, "seed of 0 or more, found -1"),
    ],
)
def test_options_out_of_range_are_refused(make_run, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(make_run(), **options)


def test_set_of_another_scale_is_refused(make_run):
    with pytest.raises(ValueError, match=r"suvr_max 3.0, found 2.5"):
        evaluate(make_run(suvr_max=3.0))


def test_generator_that_makes_nan_is_refused_and_old_numbers_stay(make_run):
    run = make_run()
    evaluate(run)
    before = run.metrics()
    generator = run.load_generator()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    run.save_generator(generator)
    with pytest.raises(ValueError, match="found NaN or infinity"):
        evaluate(run)
    assert run.metrics() == before


def test_full_disk_leaves_the_old_numbers(make_run, monkeypatch):
    run = make_run()
    evaluate(run)
    before = {p.name: p.read_bytes() for p in run.evaluation.iterdir()}

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_real_and_synthetic", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(run, seed=1)
    after = {p.name: p.read_bytes() for p in run.evaluation.iterdir()}
    assert set(after) == set(before)
    assert after["metrics.json"] == before["metrics.json"]
