import copy
import dataclasses

import numpy as np
import pytest
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.evaluation import images as module
from pet_dcgan.evaluation import synthetic_images
from pet_dcgan.evaluation.images import evaluation_images
from pet_dcgan.metrics.centring import centred
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import synthetic_slices

OWN = ["999_S_3000", "999_S_3001", "999_S_3002"]


@pytest.fixture(scope="module")
def run(toy_set, tmp_path_factory):
    """A finished run of which no test changes the files."""
    return make_run(tmp_path_factory.mktemp("images") / "run", toy_set)


def load(
    run, *, count=8, seed=0, search=1, subjects=OWN, validation=(), **config
):
    """The images of a run whose subjects and configuration are these."""
    run = copy.copy(run)
    run.subjects, run.validation = subjects, list(validation)
    run.config = dataclasses.replace(run.config, **config)
    return evaluation_images(
        run, data_dir=None, count=count, seed=seed, search=search
    )


@pytest.fixture
def generate(monkeypatch):
    """`generate(images)` replaces what the generator makes."""

    def generate(images):
        def made(generator, seeds, **options):
            counts.append(len(seeds))
            return images

        counts = []
        monkeypatch.setattr(synthetic_images, "synthetic_slices", made)
        return counts

    return generate


def test_images_of_each_kind(run):
    images = load(run, count=3, seed=5)
    assert images.real.subject_count == 2
    assert images.validation.subject_count == 1
    assert len(images.test.images) == 8
    assert len(images.real.images) == len(images.compared) == 3
    assert set(images.training.subjects) == set(OWN)
    assert images.training_suvr.max() <= 2.5
    wanted = synthetic_slices(
        run.load_generator(), np.arange(5, 8), suvr_max=2.5
    )
    np.testing.assert_array_equal(images.synthetic, wanted)


def test_images_to_search_begin_with_those_measured(run, monkeypatch):
    monkeypatch.setattr(synthetic_images, "_CHUNK", 7)
    images = load(run, count=3, seed=60, search=20)
    assert images.searched.shape == (20, 32, 32)
    assert images.searched.dtype == np.float32
    whole = images.draw(np.arange(60, 80))
    np.testing.assert_array_equal(whole[:3], images.synthetic)
    np.testing.assert_array_equal(images.searched, centred(whole))
    # all that are measured are searched
    assert len(load(run, count=5, search=2).searched) == 5


def test_samples_are_equally_many_of_each_kind(run, monkeypatch):
    samples = load(run, count=20).samples
    # four validation images
    assert {len(x) for x in samples.images.values()} == {4}
    assert {len(x) for x in samples.subjects.values()} == {4}
    assert len(set(samples.subjects["real"])) == 2
    monkeypatch.setattr(module, "subjects_of", lambda *_, **__: set())
    images = load(run)
    assert images.validation.images.shape == (0, 32, 32)
    found = {kind: len(x) for kind, x in images.samples.images.items()}
    assert found == {"real": 8, "synthetic": 8}


@pytest.mark.parametrize(
    ("count", "made"), [(None, 1000), (2, 2), (8, 8), (20, 20)]
)
def test_number_of_synthetic_images(run, generate, count, made):
    counts = generate(np.random.default_rng(0).uniform(0, 2, [made, 32, 32]))
    images = load(run, count=count)
    assert counts == [made]
    assert len(images.real.images) == min(made, 8)


def test_held_out_subject_that_was_trained_on_is_named(run):
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3005"):
        load(run, subjects=["999_S_3000", "999_S_3005"])


def test_held_out_subject_that_chose_the_generator_is_named(run):
    # as a study's generators may be, which have a split of their own
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3004"):
        load(run, subjects=OWN, validation=["999_S_3003", "999_S_3004"])


def test_validation_subject_that_was_trained_on_is_named(run):
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3003"):
        load(run, subjects=["999_S_3000", "999_S_3003"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suvr_max": 3.0}, r"suvr_max 3.0, found 2.5"),
        ({"reference": "mask"}, r"reference mask, found brain"),
        ({"spacing_mm": 4.0}, r"spacing_mm 4.0, found 6.0"),
        ({"phantom": False}, "phantom False, found True"),
        ({"plane": "coronal"}, "expected coronal slices"),
        ({"subjects": [*OWN, "999_S_8888"]}, "found none of 1: 999_S_8888"),
        ({"count": 1}, "count of 2 or more, found 1"),
        ({"seed": -1}, "seed of 0 or more, found -1"),
        ({"search": 0}, "one image or more to search for copies, found 0"),
    ],
)
def test_another_set_and_options_out_of_range_are_refused(
    run, options, message
):
    with pytest.raises(ValueError, match=message):
        load(run, **options)


def test_one_held_out_slice_is_too_few(run, monkeypatch):
    def first(*args, split, **options):
        found = load_slices(*args, split=split, **options)
        rows = slice(1 if split == "test" else None)
        return dataclasses.replace(
            found, images=found.images[rows], subjects=found.subjects[rows]
        )

    load_slices = module.load_slices
    monkeypatch.setattr(module, "load_slices", first)
    with pytest.raises(ValueError, match="two or more held-out slices"):
        load(run)


def test_no_generator_or_one_of_another_size_is_refused(toy_set, tmp_path):
    run = make_run(tmp_path / "run", toy_set, finished=False)
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        load(run)
    other = build_generator(size=64, channels=1, latent_dim=6, width=4)
    run.save_generator(other)
    with pytest.raises(ValueError, match="a damaged file or another"):
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
    run, generate, value, varied, refused
):
    flat = np.full([8, 32, 32], value)
    flat[:, 8:, 8:] += varied
    generate(flat)
    if not refused:
        load(run)
        return
    with pytest.raises(ValueError, match="every synthetic one black or uni"):
        load(run)
