from contextlib import closing

import keras
import numpy as np
import pytest
import tensorflow as tf
from board import tags_and_steps
from toy_volumes import volume_model, volume_slices

from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.training import sample_grid
from pet_dcgan.training.sample_grid import SampleGrid

SUVR = np.random.default_rng(1).uniform(0, 2.5, [8, 32, 32])
FACTS = ImageFacts(
    stage="AD", plane="axial", spacing_mm=6, suvr_max=2.5, phantom=True
)


@pytest.fixture
def sheets(monkeypatch):
    """Name of each sheet to be drawn, its rows and the rest."""
    drawn = {}

    def draw(path, rows, **options):
        drawn[path.name] = rows, options

    monkeypatch.setattr(sample_grid, "save_sheet", draw)
    return drawn


@pytest.fixture
def grid(tiny_model, tmp_path, sheets):
    """`grid(epochs=5, ...)`: after all epochs, without training in them."""

    def make(*, epochs, facts=FACTS, seed=0, **options):
        callback = SampleGrid(tmp_path / "samples", **options)
        model = tiny_model(seed=seed, facts=facts)
        callback.set_model(model)
        callback.set_params({"epochs": epochs})
        callback.on_train_begin()
        for epoch in range(epochs):
            callback.on_epoch_end(epoch)
        return callback

    return make


def test_draws_the_first_every_nth_and_the_last_epoch(
    grid, sheets, tiny_model, tiny_config, tmp_path
):
    board = tmp_path / "board"
    slices = load_training_slices(tiny_config())
    with closing(tf.summary.create_file_writer(str(board))) as writer:
        callback = grid(
            epochs=5,
            every=2,
            seed=11,
            real=slices,
            tiles=tmp_path / "tiles",
            writer=writer,
        )
    model = callback.model
    drawn = [1, 2, 4, 5]
    assert list(sheets) == [
        "real.png",
        *(f"epoch_000{epoch}.png" for epoch in drawn),
    ]
    assert tags_and_steps(board) == [
        ("real (phantom)", 0),
        *(("synthetic (phantom)", epoch) for epoch in drawn),
    ]
    # the images are of the seeds from the model's seed on
    expected = synthetic_slices(
        model.generator, np.arange(11, 27), suvr_max=2.5
    )
    rows, options = sheets["epoch_0005.png"]
    np.testing.assert_allclose(
        np.concatenate([images for _, images in rows]), expected, atol=1e-6
    )
    assert options == {
        "title": "AD axial, synthetic, epoch 5 (phantom)",
        "suvr_max": 2.5,
        "phantom": False,
        "label": "mean-scaled SUVR",
        "cuts": False,
    }
    with np.load(tmp_path / "tiles" / "samples_0005.npz") as kept:
        np.testing.assert_allclose(kept["suvr"], expected[:8], atol=2e-3)
    # and drawing changes nothing in the training
    fresh = tiny_model(seed=11)
    for a, b in zip(model.variables, fresh.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_sheet_of_real_slices_says_how_many_there_are(
    grid, sheets, tiny_config, monkeypatch
):
    slices = load_training_slices(tiny_config())
    assert len(slices.images) == 12
    monkeypatch.setattr(sample_grid, "SHEET_COLUMNS", 1)
    grid(epochs=0, real=slices)
    rows, options = sheets["real.png"]
    assert options["title"] == "AD axial, real, 4 of 12 slices (phantom)"
    shown = np.concatenate([images for _, images in rows])
    for image, index in zip(shown, (0, 4, 7, 11), strict=True):
        np.testing.assert_allclose(
            image, slices.images[index] / 65535 * 2.5, rtol=1e-6
        )


def test_a_resumed_run_keeps_its_real_slices(
    grid, sheets, tiny_config, tmp_path
):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "real.png").touch()
    grid(epochs=1, real=load_training_slices(tiny_config()))
    assert list(sheets) == ["epoch_0001.png"]


def test_without_facts_the_scale_is_said_to_be_unknown(grid, sheets):
    grid(epochs=1, facts=None).write_montage()
    for name in ("epoch_0001.png", "montage.png"):
        rows, options = sheets[name]
        assert options["label"] == "share of the largest uptake"
        assert options["suvr_max"] == 1.0
        assert max(images.max() for _, images in rows) <= 1.0


@pytest.mark.parametrize(
    ("kept", "every", "drawn", "words"),
    [
        ([1, 2, 3], 1, [1, 2, 3], "every epoch"),
        (range(1, 13), 1, range(1, 13), "every epoch"),
        ([1], 10, [1], "epoch 1"),
        ([1, 2], 10, [1, 2], "epoch 1 and epoch 2"),
        ([1, 4], 10, [1, 4], "epoch 1 and epoch 4; others are left out"),
        (
            range(1, 21),
            1,
            [1, *range(2, 21, 2)],
            "epoch 1 and every 2 epochs; others are left out",
        ),
        (
            [1, 2, 4],
            2,
            [1, 2, 4],
            "epoch 1 and every 2 epochs; others are left out",
        ),
        (
            [1, *range(5, 201, 5)],
            5,
            [1, *range(20, 201, 20)],
            "epoch 1 and every 20 epochs; others are left out",
        ),
        (
            [1, 5, 10, 15, 17],
            5,
            [1, 5, 10, 15, 17],
            "epoch 1, every 5 epochs and epoch 17; others are left out",
        ),
        (
            [1, 9600, 10400],
            800,
            [1, 9600, 10400],
            "epoch 1 and every 800 epochs; others are left out",
        ),
    ],
)
def test_the_montage_says_which_epochs_it_shows(
    grid, sheets, kept, every, drawn, words
):
    callback = grid(epochs=0, every=every)
    for epoch in kept:
        path = callback.tiles / f"samples_{epoch:04}.npz"
        np.savez(path, suvr=SUVR, epoch=epoch)
    callback.write_montage()
    rows, options = sheets["montage.png"]
    assert len(rows) <= sample_grid.MONTAGE_ROWS
    assert [label for label, _ in rows] == [f"epoch {each}" for each in drawn]
    assert options["title"] == f"AD axial, synthetic after {words} (phantom)"


def test_files_of_others_beside_the_tiles_are_left_alone(grid, sheets, capsys):
    callback = grid(epochs=1)
    (callback.tiles / "samples_of_mine.npz").write_text("mine")
    (callback.tiles / "samples_0007.npz").write_text("damaged")
    callback.write_montage()
    assert [label for label, _ in sheets["montage.png"][0]] == ["epoch 1"]
    assert "samples_0007.npz" in "".join(capsys.readouterr())
    np.savez(callback.tiles / "samples_0007.npz", suvr=SUVR)  # of no epoch
    callback.write_montage()
    assert "samples_0007.npz" in "".join(capsys.readouterr())


def test_in_fit_it_needs_a_folder_alone(tiny_model, tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, [8, 32, 32, 1])
    grid = SampleGrid(tmp_path / "samples", every=2)
    tiny_model().fit(images, epochs=3, callbacks=[grid], verbose=0)
    montage = grid.write_montage()
    assert sorted(path.name for path in montage.parent.glob("*.png")) == [
        *(f"epoch_000{epoch}.png" for epoch in (1, 2, 3)),
        "montage.png",
    ]
    assert isinstance(grid, keras.callbacks.Callback)


@pytest.mark.parametrize("conditional", [True, False])
def test_volumes_are_drawn_as_three_cuts(sheets, tmp_path, conditional):
    model = volume_model(conditional=conditional, seed=3)
    real = volume_slices(5)
    callback = SampleGrid(tmp_path, real=real)
    callback.set_model(model)
    callback.set_params({"epochs": 1})
    callback.on_train_begin()
    callback.on_epoch_end(0)
    callback.write_montage()
    rows, options = sheets["real.png"]
    assert options["cuts"]
    assert options["title"].endswith("real, 12 of 15 volumes (phantom)")
    # a row for each stage, evenly over its five
    assert [name for name, _ in rows] == ["AD", "MCI", "NC"]
    stored = real.images[[10, 11, 13, 14]] / 65535 * 2.5
    np.testing.assert_allclose(rows[0][1], three_plane(stored), rtol=1e-6)
    rows, _ = sheets["epoch_0001.png"]
    network = model.generator
    if conditional:
        assert [name for name, _ in rows] == ["AD", "MCI", "NC"]
        network = asked(network, stage="AD")
    volumes = synthetic_slices(network, 3 + np.arange(4), suvr_max=2.5)
    expected = three_plane(volumes)
    np.testing.assert_allclose(rows[0][1], expected, atol=1e-6)
    rows, _ = sheets["montage.png"]
    np.testing.assert_allclose(rows[0][1], expected, atol=2e-3)
