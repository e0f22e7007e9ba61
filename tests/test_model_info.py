import dataclasses
import json

import pytest

from pet_dcgan.serving.model_info import (
    MAX_ROWS,
    ExportedModel,
    ModelInfo,
    complete_versions,
    versions,
)

FACTS = ModelInfo(
    stage="AD",
    plane="axial",
    size=32,
    channels=1,
    latent_dim=6,
    spacing_mm=6.0,
    suvr_max=2.5,
    reference="brain",
    preset="demo",
    phantom=True,
    made_by="pet-dcgan 0.1.0",
)


@pytest.fixture
def model(tmp_path):
    for version in ("2", "10"):
        folder = tmp_path / "ad" / version
        FACTS.write(folder)
        (folder / "saved_model.pb").touch()
    return tmp_path / "ad"


@pytest.mark.parametrize(
    ("stage", "plane", "name"),
    [("NC", "axial", "nc"), ("AD", "coronal", "ad_coronal")],
)
def test_name_of_a_model(stage, plane, name):
    facts = dataclasses.replace(FACTS, stage=stage, plane=plane)
    assert facts.name == name


def test_facts_are_read_also_from_a_later_program(tmp_path):
    FACTS.write(tmp_path)
    assert ModelInfo.read(tmp_path) == FACTS
    path = tmp_path / "assets.extra" / "model.json"
    path.write_text(json.dumps(dataclasses.asdict(FACTS) | {"tracer": "x"}))
    assert ModelInfo.read(tmp_path) == FACTS


def test_the_limit_of_rows_is_part_of_the_facts():
    assert json.loads(FACTS.to_json())["max_rows"] == MAX_ROWS == 64
    few = dataclasses.replace(FACTS, max_rows=2)
    assert ModelInfo.from_json(few.to_json(), source="here") == few


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", "32"), ("size", True), ("phantom", 1), ("suvr_max", None)],
)
def test_facts_of_another_type_are_refused(name, value):
    values = dataclasses.asdict(FACTS)
    with pytest.raises(ValueError, match=f"in there, found .*{name} {value!r}"):
        ModelInfo.from_json(json.dumps(values | {name: value}), source="there")
    # a scale may be written as a whole number
    text = json.dumps(values | {"suvr_max": 2})
    assert ModelInfo.from_json(text, source="there").suvr_max == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "AD"}', "\xff"])
def test_damaged_facts_are_refused(tmp_path, text):
    FACTS.write(tmp_path)
    path = tmp_path / "assets.extra" / "model.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"expected JSON with stage") as error:
        ModelInfo.read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_model_is_its_highest_version_by_number(model, monkeypatch):
    opened = ExportedModel(model)
    assert (opened.version, opened.facts) == ("10", FACTS)
    assert ExportedModel(model / "2").version == "2"
    monkeypatch.chdir(model / "2")
    assert ExportedModel(".").version == "2"


def test_versions_are_numbered_folders(model):
    (model / "11").mkdir()
    (model / ".partial-1.3").mkdir()
    (model / "12").touch()
    assert versions(model) == [2, 10, 11]
    assert complete_versions(model) == [2, 10]
    assert ExportedModel(model).version == "10"
    assert versions(model / "absent") == []


def test_what_is_no_model_is_refused(model, tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileNotFoundError, match="pet-dcgan export"):
            ExportedModel(path)
    (model / "10" / "assets.extra" / "model.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.json in"):
        ExportedModel(model)
    with pytest.raises(ValueError, match="found the URL"):
        ExportedModel("https://host:8501/v1/models/ad")
