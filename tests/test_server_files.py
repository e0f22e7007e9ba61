"""models.config, read by TensorFlow Serving's messages."""

import pytest
from google.protobuf import text_format

from pet_dcgan.serving import server_files
from pet_dcgan.serving.server_files import (
    update_models_config,
)

ENTRY = """\
  config {
    name: "%s"
    base_path: "/models/%s"
    model_platform: "tensorflow"
  }
"""


def entry(name):
    return ENTRY % (name, name)


@pytest.fixture
def models(tmp_path):
    """`models("ad", "nc")`: a folder with these models and no others."""
    folder = tmp_path / "models"

    def lay(*names):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.is_dir():
                (old / "1" / "saved_model.pb").unlink(missing_ok=True)
        for name in names:
            (folder / name / "1").mkdir(parents=True, exist_ok=True)
            (folder / name / "1" / "saved_model.pb").touch()
        return folder

    return lay


def parsed(path):
    """The official message, from the official parser."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    from tensorflow_serving.config import model_server_config_pb2 as message

    return text_format.Parse(path.read_text(), message.ModelServerConfig())


def test_models_that_lie_there_are_listed(models):
    path = update_models_config(models("nc", "ad", "ad_coronal"))
    assert path.name == "models.config"
    listed = parsed(path).model_config_list.config
    assert [(one.name, one.base_path) for one in listed] == [
        ("ad", "/models/ad"),
        ("ad_coronal", "/models/ad_coronal"),
        ("nc", "/models/nc"),
    ]
    assert {one.model_platform for one in listed} == {"tensorflow"}


def test_no_model_is_an_empty_list(models):
    path = update_models_config(models())
    assert parsed(path).HasField("model_config_list")
    assert "config {" not in path.read_text()


def test_only_what_a_server_can_load_is_listed(models):
    folder = models("ad", ".partial-1.nc", "a b")
    (folder / "empty" / "1").mkdir(parents=True)
    assert update_models_config(folder).read_text().count("config {") == 1


def test_bytes_do_not_depend_on_what_came_first(models):
    at_once = update_models_config(models("ad", "mci", "nc")).read_bytes()
    (models() / "models.config").unlink()
    for names in [["nc"], ["nc", "x"], ["nc", "ad"], ["ad", "mci", "nc"]]:
        path = update_models_config(models(*names))
    assert path.read_bytes() == at_once


def test_nothing_new_is_nothing_written(models, monkeypatch):
    path = update_models_config(models("ad"))
    monkeypatch.setattr(server_files, "replacing", None)
    assert update_models_config(models("ad")) == path


BY_HAND = """\
# ours } {
model_config_list: { # "all" of them
  config: {
    name: 'nc', base_path: "/models/nc/"; model_platform: "tensorflow"
    model_version_policy { specific { versions: 3 versions: 4 } }
    version_labels { key: "stable" value: 3 }
  }
  config { name: "other" base_path: "/elsewhere/other" }
}
# the end
"""


def test_text_of_others_stays(models):
    folder = models("ad", "nc")
    (folder / "models.config").write_text(BY_HAND)
    path = update_models_config(folder)
    found = path.read_text()
    assert found == BY_HAND.replace("  config: {", entry("ad") + "  config: {")
    listed = parsed(path).model_config_list.config
    assert [one.name for one in listed] == ["ad", "nc", "other"]
    assert listed[1].model_version_policy.specific.versions == [3, 4]


def test_a_changed_entry_of_a_model_that_is_gone_stays_as_a_comment(models):
    folder = models("ad")
    (folder / "models.config").write_text(BY_HAND)
    path = update_models_config(folder)
    listed = parsed(path).model_config_list.config
    assert [one.name for one in listed] == ["ad", "other"]
    assert "# gone: model_version_policy { specific {" in path.read_text()
    again = path.read_text()
    assert update_models_config(folder).read_text() == again


def test_on_one_line(models):
    folder = models("b")
    line = 'config { name: "%s" base_path: "/models/%s" %s} '
    text = line % ("a", "a", "# mine\n") + line % ("b", "b", "")
    (folder / "models.config").write_text(f"model_config_list {{{text}}}")
    path = update_models_config(folder)
    assert [one.name for one in parsed(path).model_config_list.config] == ["b"]
    path = update_models_config(models("b", "c"))
    listed = parsed(path).model_config_list.config
    assert [one.name for one in listed] == ["b", "c"]


def test_an_alias_and_a_name_taken_elsewhere(models):
    folder = models("ad", "nc")
    (folder / "models.config").write_text(
        "model_config_list {\n"
        '  config { name: "old" base_path: "/models/ad" }\n'
        '  config { name: "nc" base_path: "/elsewhere" }\n}\n'
    )
    listed = parsed(update_models_config(folder)).model_config_list.config
    assert sorted(one.name for one in listed) == ["ad", "nc", "old"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "something else"),
        (b"custom_model_config { }", "something else"),
        (b"model_config_list {", 'Expected "}"'),
        (b"model_config_list { config { }", 'Expected "}"'),
        (b"model_config_list { } }", "got }"),
        (b"model_config_list { }\nx: 1", "something else"),
        (b"model_config_list { }\nx { }", "something else"),
        (b"x: 1 model_config_list { }", "something else"),
        (b"model_config_list { config < > }", "something else"),
        (b"model_config_list {\n config [ { } ] }", '"[" in line 2'),
        (b"model_config_list {\n\n konfig { } }", '"konfig" in line 3'),
        (b'model_config_list { config { name: "ad } }', '"ad } }'),
        (b"\xff\xfe", "byte 0 is no UTF-8"),
        (b"model_config_list " + b"{ config " * 5000, "braces within braces"),
        (b"{" * 100_000, "in line 1"),
        (b" " * 2**19, "found more"),
        (b"model_config_list { config { " + b"a" * 10_000, "in line 1"),
        (b"model_config_list {\n\x1b[2J }", "in line 2"),
        (b'model_config_list { config { name: "\\xff" } }', "in line 1"),
    ],
)
def test_a_file_that_is_no_list_is_refused_and_stays(models, text, reason):
    folder = models("ad")
    path = folder / "models.config"
    path.write_bytes(text)
    with pytest.raises(ValueError, match="is not a list model_") as error:
        update_models_config(folder)
    assert reason in str(error.value)
    assert str(error.value).startswith(str(path))
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300 + len(str(path)) * 2
    assert "codec" not in str(error.value)
    assert path.read_bytes() == text


def test_something_else_in_the_place_of_the_list_stays(models):
    folder = models("ad")
    (folder / "models.config" / "mine").mkdir(parents=True)
    with pytest.raises(ValueError, match="found a folder; correct it"):
        update_models_config(folder)
    assert (folder / "models.config" / "mine").is_dir()


def test_a_model_that_comes_while_it_is_written_is_listed(models, monkeypatch):
    folder = models("ad")
    true_replacing = server_files.replacing

    def slow(path):
        models("ad", "nc")
        return true_replacing(path)

    monkeypatch.setattr(server_files, "replacing", slow)
    assert 'name: "nc"' in update_models_config(folder).read_text()
