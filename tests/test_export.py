import json
import os
import platform
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan import export as module
from pet_dcgan.evaluate import evaluate
from pet_dcgan.export import export_run
from pet_dcgan.sampling import synthetic_slices
from pet_dcgan.serving.served import ServedModel

pytestmark = pytest.mark.usefixtures("quick_encoder")


@pytest.fixture
def models(tmp_path):
    return tmp_path / "export" / "models"


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
        "ad/1/fingerprint.pb",
        "ad/1/saved_model.pb",
        "ad/1/variables/variables.data-00000-of-00001",
        "ad/1/variables/variables.index",
        "ad/MODEL_CARD.md",
        "ad/metrics.json",
    ]
    facts = json.loads((version / "assets.extra/model.json").read_text())
    assert facts["stage"] == "AD"
    assert facts["phantom"] is True
    assert facts["suvr_max"] == 2.5
    assert facts["made_by"].startswith("pet-dcgan ")
    assert ServedModel.open(models / "ad").path == version


def test_exported_equals_live(make_run, models):
    run = make_run()
    loaded = tf.saved_model.load(str(export_run(run, models)))
    seeds = np.arange(5)
    live = synthetic_slices(run.load_generator(), seeds, suvr_max=2.5)
    suvr = loaded.signatures["generate"](seed=seeds)["suvr"]
    np.testing.assert_allclose(suvr, live, atol=1e-5)
    assert np.ptp(live, axis=0).max() > 0.1


def test_another_plane_is_another_model(make_run, models):
    version = export_run(make_run("MCI", plane="coronal"), models)
    assert version == models / "mci_coronal" / "1"


def test_next_version_is_the_highest_plus_one(make_run, models):
    run = make_run()
    (models / "ad" / "7").mkdir(parents=True)
    assert export_run(run, models).name == "8"
    assert export_run(run, models).name == "9"
    assert (models / "ad" / "8" / "saved_model.pb").is_file()


def test_card_and_metrics_of_an_evaluated_run(make_run, models):
    run = make_run()
    metrics = evaluate(run)
    export_run(run, models)
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found == metrics | {"evaluated": True}
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    assert f"{metrics['psnr']['synthetic']['nearest']['mean']:.2f}" in card
    assert "| training slices | 12 |" in card
    assert "PHANTOM" in card


def test_run_without_an_evaluation_replaces_older_numbers(make_run, models):
    run = make_run()
    evaluate(run)
    export_run(run, models)
    (run.evaluation / "metrics.json").unlink()
    export_run(run, models)
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found["evaluated"] is False
    assert found["phantom"] is True
    assert "Not evaluated." in (models / "ad" / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("changes", [{"data_dir": "/gone"}, {}])
def test_slices_are_not_recorded_where_they_cannot_be_counted(
    make_run, models, changes
):
    export_run(make_run(subjects=["somebody"], **changes), models)
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    assert "| training slices | not recorded |" in card


def test_no_byte_names_a_subject_or_a_place(make_run, models, toy_set):
    run = make_run()
    evaluate(run)
    export_run(run, models)
    secrets = [*run.subjects, "999_S_3", "secret", run.path, toy_set]
    secrets += [models, Path.cwd(), Path.home(), platform.node()]
    secrets += [os.path.dirname(module.__file__)]
    # a shorter word stands in the bytes of the weights by chance
    words = [str(s).encode() for s in secrets if len(str(s)) > 4]
    for path in models.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for word in words:
            assert word not in content, (path, word)


def test_failing_comparison_leaves_nothing(make_run, models, monkeypatch):
    def differ(*args, **options):
        raise ValueError("found differences")

    monkeypatch.setattr(module, "compare_archive", differ)
    with pytest.raises(ValueError, match="found differences"):
        export_run(make_run(), models)
    assert list(models.iterdir()) == []


def test_failing_comparison_leaves_the_older_version(
    make_run, models, monkeypatch
):
    run = make_run()
    export_run(run, models)
    before = {f: (models / f).read_bytes() for f in files(models)}
    monkeypatch.setattr(
        module,
        "compare_archive",
        lambda *a, **k: (_ for _ in ()).throw(OSError),
    )
    with pytest.raises(OSError):  # noqa: PT011
        export_run(run, models)
    assert {f: (models / f).read_bytes() for f in files(models)} == before


def test_full_disk_leaves_nothing(make_run, models, monkeypatch):
    def full(self, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.ModelFacts, "write", full)
    with pytest.raises(OSError, match="No space left"):
        export_run(make_run(), models)
    assert list(models.iterdir()) == []


def test_weights_that_are_not_finite_are_refused(make_run, models):
    run = make_run()
    generator = run.load_generator()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    run.save_generator(generator)
    with pytest.raises(ValueError, match="expected finite weights"):
        export_run(run, models)
    assert list(models.iterdir()) == []


def test_unfinished_run_is_refused(make_run, models):
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        export_run(make_run(finished=False), models)
    assert not models.exists()
