"""Exports of conditional models: names, facts, card, next versions."""

import dataclasses
import json
import shutil

import pytest
import toy_asked
from test_model_info import FACTS
from toy_conditional import make_conditional, make_conditions, spread

from pet_dcgan.config import make_config
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.runs.generator_file import write_generator
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.compatibility import check_compatible
from pet_dcgan.serving.export import export
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.model_card import model_card

CONDITIONS = toy_asked.CONDITIONS


def words(text):
    return " ".join(text.split())


def test_a_conditional_dcgan_is_exported(tmp_path):
    model = make_conditional(make_conditions(bands_mm={"coronal": (-54, -18)}))
    spread(model)
    model.facts = dataclasses.replace(toy_asked.FACTS, plane="coronal")
    version = export(model, tmp_path)
    assert version == tmp_path / "conditional_coronal" / "1"
    exported = ExportedModel(version).load()
    assert exported.facts.takes == model.conditions
    card = (version.parent / "MODEL_CARD.md").read_text()
    assert "| plane | coronal |" in card
    assert "Not evaluated." in card
    config = (tmp_path / "models.config").read_text()
    assert '"conditional_coronal"' in config


def test_facts_of_one_stage_or_plane_are_refused(tmp_path):
    generator = toy_asked.lively_generator()
    for change, part in (
        ({"stage": "AD"}, "expected stage to be ALL"),
        ({"plane": "axial"}, "expected plane to be ALL"),
    ):
        facts = dataclasses.replace(toy_asked.FACTS, **change)
        with pytest.raises(ValueError, match=part):
            export(generator, tmp_path, facts=facts)
    assert not list(tmp_path.iterdir())


def test_a_run_is_exported_with_its_conditions(tmp_path, toy_set):
    config = make_config(
        "conditional",
        overrides={
            "width": 4,
            "latent_dim": toy_asked.LATENT_DIM,
            "conditions": "stage,plane,position,age,sex",
        },
        stage="ALL",
        plane="ALL",
        dataset="all_32",
        data_dir=str(toy_set),
        phantom=True,
        size=32,
        spacing_mm=6.0,
        suvr_max=2.5,
        reference="brain",
        seed=0,
    )
    run = Run.create(
        tmp_path / "run", config, ["999_S_1000"], conditions=CONDITIONS
    )
    write_generator(run.path / "generator.keras", toy_asked.lively_generator())
    version = export(Run.open(run.path), tmp_path / "models")
    assert version == tmp_path / "models" / "conditional" / "1"
    facts = ModelInfo.read(version)
    assert facts.takes == CONDITIONS
    assert facts.preset == "conditional"
    metrics = json.loads((version.parent / "metrics.json").read_text())
    assert metrics == {
        "evaluated": False,
        "phantom": True,
        "plane": "ALL",
        "preset": "conditional",
        "stage": "ALL",
    }


# --- the card -----------------------------------------------------------------


def card(conditions):
    facts = dict(vars(FACTS), stage="ALL", conditions=conditions.to_dict())
    planes = conditions.planes
    facts["plane"] = "ALL" if len(planes) > 1 else planes[0]
    return model_card(
        ModelInfo(**facts),
        version="1",
        subjects=3,
        slices=None,
        metrics={"evaluated": False},
    )


def test_the_card_says_what_can_be_asked_for():
    text = card(CONDITIONS)
    for part in (
        "# conditional: ",
        "| stage | NC, MCI, AD |",
        "| plane | axial, coronal |",
        "| stage | NC, MCI, AD, or weights of NC, MCI, AD |",
        "| position | axial -40 to 50 mm; coronal -60.5 to 37.3 mm |",
        "| age | 55 to 90 years, or unknown |",
        "| sex | F, M, or unknown |",
        "of whichever stage is asked for",
        "no course of the disease",
        "same brain only as far as the model holds that",
        "refused by image",
    ):
        assert part in words(text)
    assert "\n\n\n" not in text
    assert max(map(len, (x for x in text.splitlines() if x[:1] != "|"))) < 80
    assert "two of them do not belong to one brain" not in text


def test_the_card_of_few_conditions_names_no_others():
    text = card(toy_asked.FEW)
    asked = text.split("## What it can be asked for")[1].split("## ")[0]
    assert "| stage | NC, AD, or weights" in asked
    assert "coronal -60.5 to 37.3 mm" in asked
    for absent in ("| age", "| sex", "| plane"):
        assert absent not in asked


def test_the_card_of_one_stage_is_as_before():
    text = model_card(
        FACTS, version="1", subjects=3, slices=1, metrics={"evaluated": False}
    )
    assert "asked for" not in text
    assert "- Slices stand alone: two of them do not" in text


# --- next versions ------------------------------------------------------------


@pytest.fixture
def following(conditional_models, tmp_path):
    """`following(**changes)`: the last version, and one of other conditions."""
    last = conditional_models / "conditional" / "1"

    def make(**changes):
        conditions = dataclasses.replace(CONDITIONS, **changes)
        new = shutil.copytree(last, tmp_path / "2")
        facts = ModelInfo.read(last)
        plane = "ALL" if len(conditions.planes) > 1 else conditions.planes[0]
        dataclasses.replace(
            facts, conditions=conditions.to_dict(), plane=plane
        ).write(new)
        return new, last

    return make


BANDS = CONDITIONS.bands_mm


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ages": (50, 95)},
        {"bands_mm": {**BANDS, "axial": (-41, 50)}},
        {"bands_mm": {**BANDS, "sagittal": (-41, 50)}},
    ],
)
def test_a_version_that_knows_more_may_follow(following, changes):
    check_compatible(*following(**changes))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"stages": ("NC", "AD")}, "no stage MCI"),
        ({"ages": (56, 90)}, "ages 56 to 90 instead of 55 to 90"),
        (
            {"bands_mm": {**BANDS, "axial": (-40, 49)}},
            "the axial band -40 to 49 instead of -40 to 50",
        ),
        (
            {"bands_mm": {"axial": BANDS["axial"]}},
            "the coronal band missing instead of -60.5 to 37.3",
        ),
    ],
)
def test_a_version_that_knows_less_is_refused(following, changes, part):
    with pytest.raises(ValueError, match="would break the clients") as refused:
        check_compatible(*following(**changes))
    assert part in str(refused.value)
