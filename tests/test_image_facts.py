"""What the pixels of images mean."""

import dataclasses

import pytest

from pet_dcgan.image_facts import ImageFacts, place_in_words

FACTS = {
    "stage": "AD",
    "plane": "axial",
    "spacing_mm": 3.0,
    "suvr_max": 2.5,
    "reference": "brain",
    "phantom": True,
}


def test_they_are_those_of_a_configuration(tiny_config):
    config = tiny_config()
    facts = ImageFacts.of(config)
    assert facts.suvr_max == config.suvr_max
    assert facts.phantom is True


def test_what_a_source_lacks_is_given(toy_slices):
    meta = toy_slices.meta
    assert ImageFacts.of(meta, stage="NC", plane="axial").stage == "NC"
    with pytest.raises(AttributeError):
        ImageFacts.of(meta)
    assert toy_slices.facts.suvr_max == meta.suvr_max


def test_numbers_are_kept_as_floats():
    facts = ImageFacts(**FACTS | {"spacing_mm": 3})
    assert dataclasses.asdict(facts) == FACTS | {"space": "native"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("stage", "SMC", "expected stage among"),
        ("plane", "oblique", "expected plane among"),
        ("suvr_max", 0.0, "expected suvr_max between"),
        ("spacing_mm", "wide", "expected spacing_mm to be a number"),
        ("reference", "pons", "expected reference among"),
        ("phantom", 1, "expected phantom to be true or false"),
    ],
)
def test_what_cannot_be_is_refused(name, value, words):
    with pytest.raises(ValueError, match=words):
        ImageFacts(**FACTS | {name: value})


def test_nobody_forgets_to_say_whether_it_is_a_phantom():
    with pytest.raises(TypeError, match="phantom"):
        ImageFacts(stage="AD", plane="axial", spacing_mm=3, suvr_max=2.5)


@pytest.mark.parametrize(
    ("stage", "plane", "words"),
    [
        ("AD", "axial", "AD axial"),
        ("ALL", "ALL", "every stage, every plane"),
        ("NC", "volume", "NC whole volumes"),
    ],
)
def test_nobody_reads_a_code_word(stage, plane, words):
    assert place_in_words(stage, plane) == words
