import dataclasses

import numpy as np
import pytest

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.evaluation import images as module
from pet_dcgan.evaluation.images import evaluation_images
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import synthetic_slices


def load(run, *, count=8, seed=0):
    return evaluation_images(run, data_dir=None, count=count, seed=seed)


def instead(monkeypatch, images):
    """The generator makes these."""
    counts = []

    def made(generator, seeds, **options):
        counts.append(len(seeds))
        return images

    monkeypatch.setattr(module, "synthetic_slices", made)
    return counts


def test_images_of_each_kind(make_run):
    run = make_run()
    images = load(run, count=3, seed=5)
    assert (images.real.subject_count, images.validation.subject_count) == (
        2,
        1,
    )
    assert len(images.test.images) == 8
    assert len(images.real.images) == len(images.compared) == 3
    assert set(images.training.subjects) == set(run.subjects)
    assert images.training_suvr.max() <= 2.5
    wanted = synthetic_slices(
        run.load_generator(), np.arange(5, 8), suvr_max=2.5
    )
    np.testing.assert_array_equal(images.synthetic, wanted)


def test_samples_are_equally_many_of_each_kind(make_run):
    images = load(make_run(), count=20)
    samples = images.samples
    # four validation images
    assert {len(x) for x in samples.images.values()} == {4}
    assert {len(x) for x in samples.subjects.values()} == {4}
    assert len(set(samples.subjects["real"])) == 2
    alone = dataclasses.replace(
        images, validation=images.validation.spread(0)
    ).samples
    assert {k: len(x) for k, x in alone.images.items()} == {
        "real": 8,
        "synthetic": 8,
    }


@pytest.mark.parametrize(
    ("count", "made"), [(None, 1000), (2, 2), (8, 8), (20, 20)]
)
def test_number_of_synthetic_images(make_run, monkeypatch, count, made):
    brains = np.random.default_rng(0).uniform(0, 2, [made, 32, 32])
    counts = instead(monkeypatch, brains)
    images = load(make_run(), count=count)
    assert counts == [made]
    assert len(images.real.images) == min(made, 8)


def test_stage_without_validation_subjects(make_run, monkeypatch):
    monkeypatch.setattr(module, "subjects_of", lambda *_, **__: set())
    images = load(make_run())
    assert images.validation.images.shape == (0, 32, 32)
    assert "others" not in images.samples.images


def test_held_out_subject_that_was_trained_on_is_named(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3005"])
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3005"):
        load(run)


def test_validation_subject_that_was_trained_on_is_named(make_run):
    run = make_run(subjects=["999_S_3000", "999_S_3003"])
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3003"):
        load(run)


def test_a_run_that_started_from_one_of_all_stages(tmp_path, toy_set):
    from toy_run import make_run

    own = [f"999_S_300{number}" for number in range(3)]
    subjects = ["999_S_1000", *own]
    run = make_run(
        tmp_path / "a", toy_set, subjects=subjects, warm_start="runs/all"
    )
    assert set(load(run).training.subjects) == set(own)
    subjects = ["999_S_3000", "999_S_3005"]
    run = make_run(
        tmp_path / "b", toy_set, subjects=subjects, warm_start="runs/all"
    )
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3005"):
        load(run)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"suvr_max": 3.0}, r"suvr_max 3.0, found 2.5"),
        ({"spacing_mm": 4.0}, r"spacing_mm 4.0, found 6.0"),
        ({"phantom": False}, "phantom False, found True"),
        ({"plane": "coronal"}, "expected coronal slices"),
        (
            {"subjects": ["999_S_3000", "999_S_8888"]},
            "found none of 1: 999_S_8888",
        ),
    ],
)
def test_a_set_that_is_not_the_runs_is_refused(make_run, facts, message):
    with pytest.raises(ValueError, match=message):
        load(make_run(**facts))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 1}, "count of 2 or more, found 1"),
        ({"seed": -1}, "seed of 0 or more, found -1"),
    ],
)
def test_options_out_of_range_are_refused(make_run, options, message):
    with pytest.raises(ValueError, match=message):
        load(make_run(), **options)


def test_one_held_out_slice_is_too_few(make_run, monkeypatch):
    def first(*args, split, **options):
        found = load_slices(*args, split=split, **options)
        rows = slice(1 if split == "test" else None)
        return dataclasses.replace(
            found, images=found.images[rows], subjects=found.subjects[rows]
        )

    load_slices = module.load_slices
    monkeypatch.setattr(module, "load_slices", first)
    with pytest.raises(ValueError, match="two or more held-out slices"):
        load(make_run())


def test_unfinished_run_is_refused(make_run):
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        load(make_run(finished=False))


def test_generator_of_another_size_is_refused(make_run):
    run = make_run()
    other = build_generator(size=64, channels=1, latent_dim=6, width=4)
    run.save_generator(other)
    with pytest.raises(ValueError, match=r"32x32 images.*found 64x64"):
        load(run)


@pytest.mark.parametrize(
    ("value", "varied", "refused"),
    [
        (0.0, 2.4e-3, True),
        (0.0, 2.6e-3, False),
        (1.2, 2.4e-6, True),
        (1.2, 2.7e-6, False),
    ],
)
def test_images_black_or_uniform_are_refused(
    make_run, monkeypatch, value, varied, refused
):
    flat = np.full([8, 32, 32], value)
    flat[:, 8:, 8:] += varied
    instead(monkeypatch, flat)
    if not refused:
        load(make_run())
        return
    with pytest.raises(ValueError, match="every synthetic one black or uni"):
        load(make_run())
