"""Conditional generators as an arm of a study."""

import dataclasses
import json

import numpy as np
import pytest
from study_toy import (
    SMALL,
    conditional_run,
    make_settings,
    make_summary,
    untrained_run,
)

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.prepared_set import ALL_SPLITS, subjects_of
from pet_dcgan.study import generators, study
from pet_dcgan.study.data import load_study_data
from pet_dcgan.study.figure import save_calibration, save_figure
from pet_dcgan.study.generator_specs import (
    GeneratorSpec,
    generator_specs,
    spec_of,
)
from pet_dcgan.study.generators import (
    generate_stored,
    train_generator,
    training_config,
)
from pet_dcgan.study.given_runs import assign_runs
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.study.splits import Place
from pet_dcgan.study.study import run_study
from pet_dcgan.study.words import conclusions

ONE = GeneratorSpec(0, 0, 100, "axial", "ALL")
FEW = dataclasses.replace(ONE, fraction=34)
BOTH = ("separate", "conditional")


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set, generators=BOTH))


@pytest.fixture(scope="module")
def three(toy_set):
    """Three splits with conditional generators alone."""
    settings = make_settings(toy_set, splits=3, generators=("conditional",))
    return load_study_data(settings)


@pytest.fixture
def made(toy_set, tmp_path):
    """`made("name", subjects=...)`: a conditional run without weights."""

    def made(name, **options):
        options = {"generator": False} | options
        return conditional_run(tmp_path / name, toy_set, **options)

    return made


def test_one_generator_stands_for_all_stages_and_planes():
    settings = StudySettings(
        data_dir=".", planes=("axial", "coronal"), generators=BOTH, splits=2
    )
    assert settings.generators == BOTH
    found = generator_specs(settings)
    # 2 splits, 2 fractions: 2 planes of 2 stages, and one
    assert len(found) == len(set(found)) == 2 * 2 * (2 * 2 + 1)
    one = spec_of("conditional", Place(1, 0, 25), "axial", "NC", settings)
    assert one == GeneratorSpec(1, 0, 25, "ALL", "ALL")
    assert one == spec_of("conditional", one, "coronal", "AD", settings)
    assert one.folder == "split_1/generators/all_ALL_25_0"
    assert str(one) == "all stages, 25 % of the subjects"
    assert str(ONE) == "all stages axial, 100 % of the subjects"
    apart = spec_of("separate", one, "coronal", "AD", settings)
    assert apart == GeneratorSpec(1, 0, 25, "coronal", "AD")


@pytest.mark.parametrize("kinds", [(), ("both",), ("separate", "one")])
def test_another_kind_of_generators_is_refused(kinds):
    with pytest.raises(ValueError, match="among separate, conditional, found"):
        StudySettings(data_dir=".", generators=kinds)


def test_it_takes_the_steps_of_those_it_stands_for(data):
    # 36 slices of all stages are 9 batches of 4; two stages, of which each has
    # 2 epochs of 3 batches, take 12 steps
    whole, few = (training_config(spec, data) for spec in (ONE, FEW))
    assert (whole.epochs, few.epochs) == (2, 4)
    assert (whole.stage, whole.plane) == ("ALL", "axial")
    assert whole.conditions == "stage,position"
    assert whole.transition is True
    others = {k: v for k, v in SMALL.items() if k != "epochs"}
    settings = dataclasses.replace(
        data.settings, overrides=others, generator_steps=45
    )
    study = dataclasses.replace(data, settings=settings)
    assert training_config(ONE, study).epochs == 2 * 45 / 9


def test_conditions_are_those_of_the_settings_and_of_no_separate_one(data):
    own = SMALL | {"conditions": "stage", "transition": False}
    settings = dataclasses.replace(data.settings, overrides=own)
    study = dataclasses.replace(data, settings=settings)
    found = training_config(ONE, study)
    assert (found.conditions, found.transition) == ("stage", False)
    found = training_config(dataclasses.replace(ONE, stage="AD"), study)
    assert (found.conditions, found.transition) == ("none", False)
    preset = dataclasses.replace(data.settings, preset="conditional")
    found = training_config(ONE, dataclasses.replace(data, settings=preset))
    assert found.conditions == "stage,plane,position"


@pytest.mark.parametrize("splits", [1, 3])
def test_it_learns_from_training_subjects_of_every_stage_alone(
    made, data, three, tmp_path, monkeypatch, splits
):
    study = data if splits == 1 else three
    split = study.splits[0]

    def train(config, path, *, resume, subjects, validation, verbose):
        assert config == training_config(FEW, study)
        assert subjects == study.subjects(FEW)
        assert {s[6] for s in subjects} == {"1", "2", "3"}
        assert subjects <= split.training
        assert not subjects & (split.validation | split.test)
        assert validation == (None if splits == 1 else split.validation)
        folder = path.relative_to(tmp_path)
        return made(folder, subjects=subjects, validation=validation or ())

    monkeypatch.setattr(generators, "train", train)
    run = train_generator(FEW, tmp_path, study)
    assert run.path == tmp_path / FEW.folder


def test_one_who_has_seen_somebody_held_out_of_any_stage_is_refused(
    made, data, three, toy_set, tmp_path
):
    mci = subjects_of(toy_set, "axial_32", split=ALL_SPLITS, stage="MCI")
    for role in ("validation", "test"):
        (held_out, *_) = sorted(getattr(data.splits[0], role) & mci)
        own = data.subjects(ONE) | {held_out}
        run = made(role, subjects=own)
        with pytest.raises(DataLeakageError, match=f"1: {held_out}"):
            assign_runs([run], data)
    tested = sorted(three.splits[0].test & mci)[:1]
    made(FEW.folder, subjects=three.subjects(FEW), validation=tested)
    with pytest.raises(DataLeakageError, match=f"1: {tested[0]}"):
        train_generator(FEW, tmp_path, three)


def test_a_given_conditional_run_goes_where_its_subjects_are(made, data):
    few, whole = (
        made(str(s.fraction), subjects=data.subjects(s)) for s in (FEW, ONE)
    )
    found = assign_runs([whole, few], data)
    assert found == {ONE: whole, FEW: few}


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        (
            {},
            {"generators": ("separate",)},
            "a conditional one in .*leave it out, or",
        ),
        ({"size": 64}, {}, "size 32, .*found 64"),
        ({}, {"planes": ("axial", "coronal")}, "coronal, found axial in"),
    ],
)
def test_unsuitable_runs_are_refused(made, data, changes, settings, message):
    run = made("run", subjects=data.subjects(ONE), **changes)
    changed = dataclasses.replace(data.settings, **settings)
    with pytest.raises(ValueError, match=message):
        assign_runs([run], dataclasses.replace(data, settings=changed))


def test_images_are_asked_for_and_of_other_brains_for_each_stage(made, data):
    run = made("run", subjects=data.subjects(ONE), generator=True)
    asked = {"count": 4, "seed": 0, "plane": "axial"}
    nc, again, ad = (
        generate_stored(run, stage=stage, **asked)
        for stage in ("NC", "NC", "AD")
    )
    assert nc.shape == (4, 32, 32)
    np.testing.assert_array_equal(nc, again)
    assert not any((a == b).all() for a in nc for b in ad)


@pytest.mark.parametrize("kinds", [BOTH, ("conditional",)])
def test_figures_and_words_name_the_arms(tmp_path, kinds):
    summary = make_summary(generators=kinds)
    text = "\n".join(conclusions(summary))
    assert ("adding synthetic images to the real ones" in text) == (
        "separate" in kinds
    )
    assert "adding images of conditional generators to the real ones" in text
    assert "classifiers that saw images of conditional generators alone" in text
    assert text.count("A conditional generator learns from all stages") == 1
    assert "conditional generator" not in "".join(conclusions(make_summary()))
    save_figure(tmp_path / "study.png", summary)
    save_calibration(tmp_path / "calibration.png", summary)


@pytest.mark.slow
def test_both_kinds_stand_side_by_side(toy_set, tmp_path, monkeypatch):
    settings = make_settings(toy_set, fractions=(100,), generators=BOTH)
    summary = run_study(settings, tmp_path / "out")
    assert summary["complete"] is True
    arms = [row["arm"] for row in summary["results"]]
    assert sorted(arms) == sorted(settings.arms)
    assert len(arms) == 6
    kinds = [(g["stage"], g["subjects"]) for g in summary["generators"]]
    assert kinds == [("AD", 3), ("ALL", 9), ("NC", 3)]
    assert summary["conditional_contrast"]["words"]
    words = " ".join(summary["words"])
    assert "Of the conditional generators: " in words
    told = json.loads((tmp_path / "out" / "study.json").read_text())
    assert told["settings"]["generators"] == list(BOTH)
    run = generators.Run.open(tmp_path / "out" / ONE.folder)
    assert run.conditions.names == ("stage", "position")


def test_conditional_generators_alone_take_the_places_of_others(
    toy_set, tmp_path, monkeypatch
):
    settings = make_settings(
        toy_set, fractions=(100,), generators=("conditional",)
    )
    seen = []
    monkeypatch.setattr(study, "save_contrast", lambda *_, **__: None)
    run = conditional_run(
        tmp_path / "run",
        toy_set,
        subjects=load_study_data(settings).subjects(ONE),
    )
    summary = run_study(
        settings, tmp_path / "out", runs=[run.path], status=seen.append
    )
    assert seen[0].startswith("0 generators and 4 classifiers")
    assert {row["arm"] for row in summary["results"]} == set(settings.arms)
    assert "conditional_contrast" not in summary
    assert summary["contrast"]["words"]
    separate = untrained_run(tmp_path / "ad", toy_set)
    with pytest.raises(ValueError, match="leave it out"):
        run_study(settings, tmp_path / "more", runs=[separate.path])
