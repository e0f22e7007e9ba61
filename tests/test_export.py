import copy
import dataclasses
import json
import os
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS
from toy_run import make_run as make_toy_run

from pet_dcgan.models import archive
from pet_dcgan.models.networks import build_generator
from pet_dcgan.serving import export as module
from pet_dcgan.serving.compatibility import check_compatible
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.exported_model import ExportedModel
from tfds_adni.parallel.lock_file import held


def files(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
    )


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


def with_metrics(run, metrics):
    run.evaluation.mkdir(exist_ok=True)
    (run.evaluation / "metrics.json").write_text(json.dumps(metrics))
    return run


# --- one export, of an evaluated run ------------------------------------------


@pytest.fixture(scope="module")
def exported(toy_set, evaluated, tmp_path_factory):
    """The run, and the folder of models that it was exported to."""
    folder = tmp_path_factory.mktemp("exported")
    run = make_toy_run(folder / "runs" / "secret", toy_set)
    export_run(with_metrics(run, evaluated[1]), folder / "models")
    return run, folder / "models"


def test_layout_of_an_export(exported):
    _, models = exported
    assert files(models) == [
        "ad/1/assets.extra/MODEL_CARD.md",
        "ad/1/assets.extra/metrics.json",
        "ad/1/assets.extra/model.json",
        "ad/1/assets.extra/tf_serving_warmup_requests",
        "ad/1/saved_model.pb",
        "ad/1/variables/variables.data-00000-of-00001",
        "ad/1/variables/variables.index",
        "ad/MODEL_CARD.md",
        "ad/metrics.json",
        "models.config",
    ]
    version = ExportedModel(models / "ad")
    assert version.path == models / "ad" / "1"
    found = dataclasses.replace(version.facts, made_by=FACTS.made_by)
    assert found == FACTS
    assert version.facts.made_by.startswith("pet-dcgan ")


def test_card_and_metrics_of_an_evaluated_run(exported, evaluated):
    (_, models), (_, metrics) = exported, evaluated
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found == json.loads(json.dumps(metrics)) | {"evaluated": True}
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    psnr = f"{metrics['psnr']['synthetic']['nearest']['mean']:.2f}"
    assert psnr.replace("-", "−") in card
    assert "| training slices | 12 |" in card
    assert "PHANTOM" in card


def test_no_byte_names_a_subject_or_a_place(exported, evaluated, toy_set):
    run, models = exported
    secrets = [*run.subjects, "999_S_3", "secret", run.path, toy_set]
    secrets += [evaluated[0].path, evaluated[0].config.data_dir]
    secrets += [models, Path.cwd(), Path.home(), platform.node()]
    secrets += [os.path.dirname(module.__file__)]
    # a shorter word stands in the bytes of the weights by chance
    words = [str(s).encode() for s in secrets if len(str(s)) > 4]
    for path, content in contents(models).items():
        for word in words:
            assert word not in content, (path, word)


# --- further exports, which copy that one -------------------------------------


@pytest.fixture
def models(tmp_path):
    return tmp_path / "export" / "models"


@pytest.fixture(scope="module")
def whole(exported, tmp_path_factory):
    """A version's folder, to be copied."""
    folder = tmp_path_factory.mktemp("whole") / "1"
    return shutil.copytree(exported[1] / "ad" / "1", folder)


@pytest.fixture
def quick(whole, monkeypatch):
    """Exports copy a model; gives the generators that were to be saved."""
    saved = []

    def save(generator, folder, facts):
        saved.append(generator)
        shutil.copytree(whole, folder)

    monkeypatch.setattr(archive, "save_model", save)
    monkeypatch.setattr(archive, "compare_model", lambda *_: None)
    return saved


@pytest.mark.usefixtures("quick")
def test_next_version_is_the_highest_plus_one(make_run, models):
    run = make_run()
    # what somebody began to copy here
    (models / "ad" / "7").mkdir(parents=True)
    assert export_run(run, models).name == "8"
    assert export_run(run, models).name == "9"
    assert (models / "ad" / "8" / "saved_model.pb").is_file()
    assert "| version | 9 |" in (models / "ad" / "MODEL_CARD.md").read_text()


@pytest.mark.usefixtures("quick")
def test_run_without_an_evaluation_replaces_older_numbers(
    make_run, models, evaluated
):
    run = with_metrics(make_run(), evaluated[1])
    export_run(run, models)
    (run.evaluation / "metrics.json").unlink()
    export_run(run, models)
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found["evaluated"] is False
    assert found["phantom"] is True
    assert "Not evaluated." in (models / "ad" / "MODEL_CARD.md").read_text()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("changes", [{"data_dir": "/gone"}, {}])
def test_slices_are_not_recorded_where_they_cannot_be_counted(
    make_run, models, changes
):
    export_run(make_run(subjects=["somebody"], **changes), models)
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    assert "| training slices | not recorded |" in card


def test_a_run_of_half_precision_is_exported_in_float32(
    make_run, models, quick
):
    run = make_run()
    options = {"size": 32, "channels": 1, "latent_dim": 6, "width": 4}
    half = build_generator(precision="mixed_bfloat16", **options)
    half.set_weights(run.load_generator().get_weights())
    run.save_generator(half)
    export_run(run, models)
    (exported,) = quick
    assert {layer.compute_dtype for layer in exported.layers} == {"float32"}
    pairs = zip(exported.get_weights(), half.get_weights(), strict=True)
    assert all(np.array_equal(found, expected) for found, expected in pairs)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("found", "words"),
    [
        (("copies", 3, 1), "3 suspects in 10,000 images, 1 of them certain"),
        (("copies", 1, 1), "1 suspect in 10,000 images, 1 of them certain"),
        (("suspects", 2, 0), "2 suspects in 10,000 images, 0 of them certain"),
    ],
)
def test_copies_are_exported_only_where_that_is_said(
    make_run, models, evaluated, found, words
):
    copies = dict(zip(("verdict", "suspects", "certain"), found, strict=True))
    copies |= {"images": 10_000}
    metrics = evaluated[1] | {"copies": evaluated[1]["copies"] | copies}
    run = with_metrics(make_run(), metrics)
    with pytest.raises(ValueError, match=words + ".*--allow-copies") as error:
        export_run(run, models)
    assert "\n" not in str(error.value)
    assert not models.exists()
    export_run(run, models, allow_copies=True)
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    assert card.index("**COPIES.**") < card.index("**PHANTOM.**")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda found: found["training"]["generator"].update(epoch=1),
            r"epoch 50 in .*, found 1: .*evaluate .* again",
        ),
        (
            lambda found: found.update(stage="NC"),
            r"stage AD in .*, found NC: .* again",
        ),
        (lambda found: found.pop("regions"), "else for content: run .* again"),
        (lambda found: found.update(copies="x"), "else for copies: run "),
    ],
)
def test_numbers_of_another_generator_are_refused(
    make_run, models, evaluated, edit, words
):
    metrics = copy.deepcopy(evaluated[1])
    edit(metrics)
    run = with_metrics(make_run(), metrics)
    with pytest.raises(ValueError, match=words) as error:
        export_run(run, models)
    assert "\n" not in str(error.value)
    assert not models.exists() or list(models.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_version_that_breaks_clients_is_refused(make_run, models):
    run = make_run()
    export_run(run, models)
    before = contents(models)
    facts = models / "ad" / "1" / "assets.extra" / "model.json"
    text = facts.read_text().replace('"suvr_max": 2.5', '"suvr_max": 3.5')
    facts.write_text(text)
    with pytest.raises(ValueError, match=r"suvr_max 2\.5 instead of 3\.5"):
        export_run(run, models)
    before["ad/1/assets.extra/model.json"] = text.encode()
    assert contents(models) == before


@pytest.mark.usefixtures("quick")
def test_a_model_that_another_process_writes_is_left_alone(make_run, models):
    run = make_run()
    (models / "ad").mkdir(parents=True)
    half = models / "ad" / ".partial-12345678.1"
    half.mkdir()
    with (
        held(models / "ad" / ".lock", "export", place=models / "ad"),
        pytest.raises(BlockingIOError, match="another pet-dcgan export"),
    ):
        export_run(run, models)
    assert half.is_dir()
    with held(models / "nc" / ".lock", "export", place=models / "nc"):
        assert export_run(run, models).name == "1"


@pytest.mark.usefixtures("quick")
def test_what_a_killed_export_left_is_removed(make_run, models):
    (models / "ad" / ".partial-12345678.1" / "variables").mkdir(parents=True)
    (models / "ad" / ".partial-12345678.metrics.json").touch()
    export_run(make_run(), models)
    assert not list((models / "ad").glob(".*"))
    assert 'name: "ad"' in (models / "models.config").read_text()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("older", "error"),
    [
        (False, ValueError("it differs")),
        (True, ValueError("it differs")),
        (False, OSError(28, "No space left on device")),
    ],
)
def test_a_failing_export_leaves_all_as_it_was(
    make_run, models, monkeypatch, older, error
):
    def fail(*_):
        raise error

    run = make_run()
    models.mkdir(parents=True)
    if older:
        export_run(run, models)
    before = contents(models)
    monkeypatch.setattr(archive, "compare_model", fail)
    with pytest.raises(type(error), match=r"it differs|No space left"):
        export_run(run, models)
    assert contents(models) == before
    assert older or list(models.iterdir()) == []


def test_unfinished_run_is_refused(make_run, models):
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        export_run(make_run(finished=False), models)
    assert not models.exists()


# --- clients of the last version ----------------------------------------------


@pytest.fixture
def changed(whole, tmp_path):
    """`changed(edit)`: a copy whose signatures were edited."""

    def make(edit):
        folder = tmp_path / "2"
        folder.mkdir()
        content = (whole / "saved_model.pb").read_bytes()
        model = saved_model_pb2.SavedModel.FromString(content)
        edit(model.meta_graphs[0].signature_def)
        (folder / "saved_model.pb").write_bytes(model.SerializeToString())
        FACTS.write(folder)
        return folder

    return make


def test_the_same_model_and_more_signatures_may_follow(whole, changed):
    check_compatible(whole, whole)
    check_compatible(whole, changed(lambda found: found.pop("describe")))


def retyped(found):
    found["generate"].inputs["seed"].dtype = tf.int32.as_datatype_enum


def resized(found):
    found["generate"].outputs["suvr"].tensor_shape.dim[1].size = 64


def renamed(found):
    outputs = found["generate"].outputs
    outputs["pixels"].CopyFrom(outputs.pop("suvr"))


def unranked(found):
    shape = found["generate"].inputs["seed"].tensor_shape
    shape.Clear()
    shape.unknown_rank = True


BEFORE = "instead of seed int64 (None,) -> suvr float32 (None, 32, 32)"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (retyped, "seed int32 (None,) -> suvr float32 (None, 32, 32)"),
        (resized, "seed int64 (None,) -> suvr float32 (None, 64, 32)"),
        (renamed, "seed int64 (None,) -> pixels float32 (None, 32, 32)"),
        (unranked, "seed int64 <unknown> -> suvr float32 (None, 32, 32)"),
        (lambda found: found.pop("generate"), "missing"),
    ],
)
def test_a_changed_signature_is_described(whole, changed, edit, words):
    with pytest.raises(ValueError, match="would break the clients") as error:
        check_compatible(changed(edit), whole)
    words = f"clients of {whole}, having generate {words} {BEFORE}:"
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("saved_model.pb", b"\xff\xff"),
        ("saved_model.pb", b""),
        ("assets.extra/model.json", b"\xff\xff"),
    ],
)
def test_a_damaged_last_version_is_refused(whole, tmp_path, name, content):
    shutil.copytree(whole, tmp_path / "1")
    (tmp_path / "1" / name).write_bytes(content)
    with pytest.raises(ValueError, match="move that version away") as error:
        check_compatible(whole, tmp_path / "1")
    assert "\n" not in str(error.value)
