"""The worked examples of docs/extending.md, as they stand there."""

import types

import ida_tree
import keras
import numpy as np
import pytest
import tensorflow as tf
from pages import ROOT, blocks_of

from pet_dcgan.config import make_config
from pet_dcgan.models.network_config import describe, rebuild
from pet_dcgan.models.own_networks import own_networks
from pet_dcgan.presets import PRESETS
from tfds_adni import sources
from tfds_adni.cohort import survey

SOURCE, METRIC, LOOK, NETWORK, PRESET, LOSS = (
    block.text
    for block in blocks_of(ROOT / "docs" / "extending.md")
    if block.language == "python"
)
FACTS = {
    "stage": "AD",
    "plane": "axial",
    "dataset": "axial_128",
    "data_dir": "data",
    "phantom": True,
    "size": 128,
    "spacing_mm": 1.5,
    "suvr_max": 2.5,
    "reference": "brain",
    "seed": 0,
}


def module(text, name):
    made = types.ModuleType(name)
    exec(compile(text, name, "exec"), made.__dict__)
    return made


@pytest.fixture
def listed(monkeypatch):
    """The source of the page, entered as the page says."""
    made = module(SOURCE, "listed")
    choose = sources._source

    def source(tree, images):
        if any(path.name == made.TABLE for path in tree.files):
            return "listed"
        return choose(tree, images)

    monkeypatch.setitem(sources._READERS, "listed", made.read)
    monkeypatch.setattr(sources, "_source", source)
    return made


@pytest.fixture
def cohort(listed, tmp_path):
    """Two scans in the table and one that is not."""
    for number, name in enumerate(("a.nii", "b.nii.gz", "c.nii")):
        ida_tree.save_las(ida_tree.head(number), tmp_path / name)
    (tmp_path / "scans.csv").write_text(
        "file,subject,group\na.nii,999_S_9001,CN\nb.nii.gz,999_S_9002,AD\n"
    )
    return survey(tmp_path)


def test_a_source_labels_its_scans_and_accounts_for_every_file(cohort):
    assert cohort.stage_of_subject == {"999_S_9001": "NC", "999_S_9002": "AD"}
    used = {decision.record.paths[0].name for decision in cohort.used}
    assert used == {"a.nii", "b.nii.gz"}
    account = cohort.account()
    assert len(account) == 3
    (reason,) = account.reason[~account.used]
    assert reason == "not in scans.csv"


def test_a_network():
    make_generator = module(NETWORK, "bilinear").make_generator
    config = make_config("demo", **FACTS)
    network = own_networks(config, generator=make_generator)["generator"]
    again = rebuild(describe(network))
    assert again.output_shape == (None, 128, 128, 1)


def test_a_metric():
    asymmetry = module(METRIC, "asymmetry").asymmetry
    left = np.random.default_rng(0).random((2, 8, 4))
    mirrored = np.concatenate([left, left[:, :, ::-1]], axis=2)
    assert np.allclose(asymmetry(mirrored), 0)
    # mean 1, every pixel 2 away from its mirror image
    assert asymmetry(np.array([[[2.0, 0.0]]])) == [2.0]
    assert asymmetry(np.zeros((1, 2, 2))) == [0.0]
    with pytest.raises(ValueError, match="expected SUVR of 0 or more"):
        asymmetry(np.array([[[-1.0, 0.0]]]))


def test_a_metric_of_a_run(make_run, capsys):
    names = vars(module(METRIC, "asymmetry"))
    run = make_run()
    text = LOOK.replace('"runs/ad"', repr(str(run.path)))
    text = text.replace('data_dir="data"', "data_dir=None")
    exec(compile(text, "look", "exec"), names)
    means, interval = capsys.readouterr().out.splitlines()
    assert all(0 < float(mean) < 2 for mean in means.split())
    assert "8 or more subjects" in interval


def test_a_preset(monkeypatch):
    entries = dict(PRESETS)
    exec(PRESET, {"PRESETS": entries})
    (name,) = set(entries) - set(PRESETS)
    monkeypatch.setitem(PRESETS, name, entries[name])
    config = make_config(name, **FACTS)
    assert config.width == 32
    assert config.precision == "mixed_bfloat16"
    assert config.augment == PRESETS["robust"]["augment"]


def test_the_loss_trains_and_is_saved(tiny_model, tmp_path):
    made = module(LOSS, "notebook")
    loss = made.Hinge(3.0)
    real, fake = tf.constant([[1.0], [5.0]]), tf.constant([[-4.0], [0.0]])
    # (2 + 0) / 2 + (0 + 3) / 2
    assert float(loss.discriminator_loss(real, fake)) == 2.5
    assert float(loss.generator_loss(fake)) == 2.0
    model = tiny_model()
    model.compile(loss=loss, metrics=[])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss_of.margin == 3.0
