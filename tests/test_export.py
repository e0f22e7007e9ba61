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

from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.serving import export as module
from pet_dcgan.serving.export import check_compatible, export_run
from pet_dcgan.serving.model_info import ExportedModel
from pet_dcgan.serving.saved_model import save_model
from pet_dcgan.utils.files import locked

LATENTS = np.random.default_rng(0).uniform(-1, 1, (3, 6)).astype(np.float32)

pytestmark = pytest.mark.usefixtures("quick_encoder")


@pytest.fixture
def models(tmp_path):
    return tmp_path / "export" / "models"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("successor") / "1"
    model = build_generator(size=32, channels=1, latent_dim=6, width=4)
    save_model(model, folder, FACTS)
    FACTS.write(folder)
    return folder


@pytest.fixture
def quick(whole, monkeypatch):
    """Exports copy a model that was saved once, where that is not the point."""

    def save(generator, folder, facts):
        shutil.copytree(whole, folder)

    monkeypatch.setattr(module, "save_model", save)
    monkeypatch.setattr(module, "compare_model", lambda *_: 0.0)


def files(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_layout_of_an_export(make_run, models):
    version = export_run(make_run(), models)
    assert version == models / "ad" / "1"
    assert files(models) == [
        "ad/1/assets.extra/model.json",
        "ad/1/assets.extra/tf_serving_warmup_requests",
        "ad/1/fingerprint.pb",
        "ad/1/saved_model.pb",
        "ad/1/variables/variables.data-00000-of-00001",
        "ad/1/variables/variables.index",
        "ad/MODEL_CARD.md",
        "ad/metrics.json",
        "models.config",
    ]
    facts = json.loads((version / "assets.extra/model.json").read_text())
    assert facts["stage"] == "AD"
    assert facts["phantom"] is True
    assert facts["suvr_max"] == 2.5
    assert facts["made_by"].startswith("pet-dcgan ")
    assert ExportedModel.open(models / "ad").path == version


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
def test_card_and_metrics_of_an_evaluated_run(judged_run, numbers, models):
    run, metrics = judged_run(lambda metrics: None), json.loads(numbers)
    export_run(run, models)
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found == metrics | {"evaluated": True}
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    psnr = f"{metrics['psnr']['synthetic']['nearest']['mean']:.2f}"
    assert psnr.replace("-", "−") in card
    assert "| training slices | 12 |" in card
    assert "PHANTOM" in card


@pytest.mark.usefixtures("quick")
def test_run_without_an_evaluation_replaces_older_numbers(judged_run, models):
    run = judged_run(lambda metrics: None)
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


def test_a_run_of_half_precision_is_exported_in_float32(make_run, models):
    run = make_run()
    half = build_generator(
        size=32,
        channels=1,
        latent_dim=6,
        width=4,
        precision="mixed_bfloat16",
    )
    half.set_weights(run.load_generator().get_weights())
    run.save_generator(half)
    loaded = tf.saved_model.load(str(export_run(run, models)))
    live = float32_copy(half)(LATENTS, training=False).numpy()
    image = loaded.signatures["serving_default"](latent=LATENTS)["image"]
    np.testing.assert_allclose(image, live, atol=1e-5)
    assert np.abs(live - half(LATENTS, training=False)).max() > 1e-3


@pytest.fixture(scope="module")
def numbers(toy_set, quick_encoder, tmp_path_factory):
    """The text of an evaluated run's `metrics.json`."""
    run = make_toy_run(tmp_path_factory.mktemp("judged") / "secret", toy_set)
    evaluate(run)
    return (run.evaluation / "metrics.json").read_text()


@pytest.fixture
def judged_run(make_run, numbers):
    """`judged_run(edit)`: a run whose numbers were edited."""

    def make(edit):
        run = make_run()
        metrics = json.loads(numbers)
        edit(metrics)
        run.evaluation.mkdir()
        (run.evaluation / "metrics.json").write_text(json.dumps(metrics))
        return run

    return make


def with_copies(metrics):
    metrics["copies"] |= {"verdict": "copies", "words": "Copies: found 3."}


@pytest.mark.usefixtures("quick")
def test_copies_are_exported_only_where_that_is_said(judged_run, models):
    run = judged_run(with_copies)
    with pytest.raises(ValueError, match=r"Copies: found 3\. .*--allow-copies"):
        export_run(run, models)
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
        (lambda found: found.pop("bands"), r"fault at 'bands'"),
        (lambda found: found.update(training=None), r"fault at "),
        (lambda found: found.update(copies="x"), r"fault at "),
    ],
)
def test_numbers_of_another_generator_are_refused(
    judged_run, models, edit, words
):
    run = judged_run(edit)
    with pytest.raises(ValueError, match=words) as error:
        export_run(run, models)
    assert "\n" not in str(error.value)
    assert not models.exists() or list(models.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_version_that_breaks_clients_is_refused(make_run, models):
    run = make_run()
    export_run(run, models)
    before = {f: (models / f).read_bytes() for f in files(models)}
    facts = models / "ad" / "1" / "assets.extra" / "model.json"
    text = facts.read_text().replace('"suvr_max": 2.5', '"suvr_max": 3.5')
    facts.write_text(text)
    with pytest.raises(ValueError, match=r"suvr_max 2\.5 instead of 3\.5"):
        export_run(run, models)
    before["ad/1/assets.extra/model.json"] = text.encode()
    assert {f: (models / f).read_bytes() for f in files(models)} == before


@pytest.mark.usefixtures("quick")
def test_a_model_that_another_process_writes_is_left_alone(make_run, models):
    run = make_run()
    (models / "ad").mkdir(parents=True)
    half = models / "ad" / ".partial-12345678.1"
    half.mkdir()
    with (
        locked(models / "ad" / ".exporting"),
        pytest.raises(BlockingIOError, match="another pet-dcgan export"),
    ):
        export_run(run, models)
    assert half.is_dir()
    with locked(models / "nc.lock"):
        assert export_run(run, models).name == "1"


@pytest.mark.usefixtures("quick")
def test_what_a_killed_export_left_is_removed(make_run, models):
    (models / "ad" / ".partial-12345678.1" / "variables").mkdir(parents=True)
    (models / "ad" / ".partial-12345678.metrics.json").touch()
    export_run(make_run(), models)
    assert not list((models / "ad").glob(".*"))
    assert 'name: "ad"' in (models / "models.config").read_text()


def test_no_byte_names_a_subject_or_a_place(judged_run, models, toy_set):
    run = judged_run(lambda metrics: None)
    export_run(run, models)
    secrets = [*run.subjects, "999_S_3", "secret", run.path, toy_set]
    secrets += [models, Path.cwd(), Path.home(), platform.node()]
    secrets += [os.path.dirname(module.__file__)]
    # a shorter word stands in the bytes of the weights by chance
    words = [str(s).encode() for s in secrets if len(str(s)) > 4]
    assert files(models)
    for path in models.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for word in words:
            assert word not in content, (path, word)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("older", [False, True])
def test_a_failing_comparison_leaves_all_as_it_was(
    make_run, models, monkeypatch, older
):
    def differ(*args, **options):
        raise ValueError("it differs")

    run = make_run()
    models.mkdir(parents=True)
    if older:
        export_run(run, models)
    before = {f: (models / f).read_bytes() for f in files(models)}
    monkeypatch.setattr(module, "compare_model", differ)
    with pytest.raises(ValueError, match="it differs"):
        export_run(run, models)
    assert {f: (models / f).read_bytes() for f in files(models)} == before
    assert older or list(models.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_full_disk_leaves_nothing(make_run, models, monkeypatch):
    def full(self, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.ModelInfo, "write", full)
    with pytest.raises(OSError, match="No space left"):
        export_run(make_run(), models)
    assert list(models.iterdir()) == []


def test_weights_that_are_not_finite_are_refused(make_run, models):
    run = make_run()
    generator = run.load_generator()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    run.save_generator(generator)
    with pytest.raises(ValueError, match="NaN or infinity in"):
        export_run(run, models)
    assert list(models.iterdir()) == []


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
        model = saved_model_pb2.SavedModel()
        model.ParseFromString((whole / "saved_model.pb").read_bytes())
        edit(model.meta_graphs[0].signature_def)
        (folder / "saved_model.pb").write_bytes(model.SerializeToString())
        FACTS.write(folder)
        return folder

    return make


def test_the_same_model_and_more_signatures_may_follow(whole, changed):
    check_compatible(whole, whole)
    check_compatible(whole, changed(lambda found: found.pop("describe")))


def test_a_lost_signature_is_named(whole, changed):
    fewer = changed(lambda found: found.pop("generate_png"))
    with pytest.raises(
        ValueError, match="having generate_png missing"
    ) as error:
        check_compatible(fewer, whole)
    assert "\n" not in str(error.value)
    assert str(whole) in str(error.value)


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


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (retyped, "seed int32 (None,) -> suvr float32 (None, 32, 32)"),
        (resized, "seed int64 (None,) -> suvr float32 (None, 64, 32)"),
        (renamed, "seed int64 (None,) -> pixels float32 (None, 32, 32)"),
        (unranked, "seed int64 <unknown> -> suvr float32 (None, 32, 32)"),
    ],
)
def test_a_changed_signature_is_described(whole, changed, edit, words):
    before = "seed int64 (None,) -> suvr float32 (None, 32, 32)"
    with pytest.raises(ValueError, match="would break the clients") as error:
        check_compatible(changed(edit), whole)
    assert f"having generate {words} instead of {before}:" in str(error.value)


def test_another_scale_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "2")
    dataclasses.replace(FACTS, suvr_max=3.0).write(tmp_path / "2")
    with pytest.raises(ValueError, match=r"suvr_max 3\.0 instead of 2\.5"):
        check_compatible(tmp_path / "2", whole)


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
