"""Exported models on disk: their versions."""

import pytest
from test_model_info import FACTS

from pet_dcgan.serving.exported_model import (
    ExportedModel,
    complete_versions,
    versions,
)


@pytest.fixture
def model(tmp_path):
    for version in ("2", "10"):
        folder = tmp_path / "ad" / version
        FACTS.write(folder)
        (folder / "saved_model.pb").touch()
    return tmp_path / "ad"


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
        with pytest.raises(FileNotFoundError, match=r"name a model, as .*ad$"):
            ExportedModel(path)
    elsewhere = tmp_path / "nothing" / "deep" / "below"
    elsewhere.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="make one with pet-dcgan exp"):
        ExportedModel(elsewhere)
    (model / "10" / "assets.extra" / "model.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.json in"):
        ExportedModel(model)
    with pytest.raises(ValueError, match="found the URL"):
        ExportedModel("https://host:8501/v1/models/ad")
