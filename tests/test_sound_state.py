import os

import pytest

from pet_dcgan.training.resume import (
    drop_last_healthy,
    keep_last_healthy,
    return_to_last_healthy,
)


@pytest.fixture
def states(tmp_path):
    """Writes the states of epochs, as `Checkpoint` names them."""

    def write(*epochs):
        for epoch in epochs:
            (tmp_path / f"state_{epoch:04}.npz").write_text(f"epoch {epoch}")

    return write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_state_is_kept_when_its_successors_replace_it(states, tmp_path):
    states(3, 4)
    keep_last_healthy(tmp_path, 4)
    (tmp_path / "state_0003.npz").unlink()
    (tmp_path / "state_0004.npz").unlink()
    states(8, 9)
    assert return_to_last_healthy(tmp_path) == 4
    assert names(tmp_path) == ["state_0004.npz"]
    assert (tmp_path / "state_0004.npz").read_text() == "epoch 4"


def test_only_the_last_sound_one_is_kept(states, tmp_path):
    states(3, 4)
    keep_last_healthy(tmp_path, 3)
    keep_last_healthy(tmp_path, 4)
    keep_last_healthy(tmp_path, 4)
    assert names(tmp_path) == [
        "sound_0004.npz",
        "state_0003.npz",
        "state_0004.npz",
    ]


def test_a_training_that_ends_well_needs_none(states, tmp_path):
    states(3, 4)
    keep_last_healthy(tmp_path, 4)
    drop_last_healthy(tmp_path)
    assert names(tmp_path) == ["state_0003.npz", "state_0004.npz"]
    drop_last_healthy(tmp_path / "nowhere")


def test_a_rewritten_state_leaves_the_kept_one(states, tmp_path):
    states(4)
    keep_last_healthy(tmp_path, 4)
    other = tmp_path / "new"
    other.write_text("another epoch 4")
    os.replace(other, tmp_path / "state_0004.npz")
    assert (tmp_path / "sound_0004.npz").read_text() == "epoch 4"


def test_where_a_disk_has_no_second_names_it_is_copied(
    states, tmp_path, monkeypatch
):
    def refuse(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    states(4)
    keep_last_healthy(tmp_path, 4)
    assert (tmp_path / "sound_0004.npz").read_text() == "epoch 4"


def test_without_a_state_nothing_is_done(states, tmp_path):
    states(3)
    (tmp_path / "samples_0001.npz").write_text("tiles")
    before = names(tmp_path)
    keep_last_healthy(tmp_path, 9)
    assert return_to_last_healthy(tmp_path) == 0
    assert names(tmp_path) == before
    keep_last_healthy(tmp_path / "nowhere", 1)
    assert return_to_last_healthy(tmp_path / "nowhere") == 0


def test_epochs_are_counted_and_not_spelt(states, tmp_path):
    states(9999, 10000)
    keep_last_healthy(tmp_path, 9999)
    assert return_to_last_healthy(tmp_path) == 9999
    assert names(tmp_path) == ["state_9999.npz"]
