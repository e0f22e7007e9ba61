import itertools
import os
import zipfile

import numpy as np
import pytest

from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.training.checkpoint import (
    Checkpoint,
    drop_last_healthy,
    keep_last_healthy,
    newest_state,
    remove_older_states,
    restore,
    return_to_last_healthy,
)

EVERYTHING = {
    "ema_decay": 0.9,
    "augment": "translate,cutout,rotate,scale",
    "augment_probability": 0.5,
    "augment_target": 0.6,
    "precision": "mixed_float16",
    "width": 2,
}


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def save(model, folder, epoch):
    """Writes the state of a model as at the end of an epoch, from 0."""
    callback = Checkpoint(folder)
    callback.set_model(model)
    callback.on_epoch_end(epoch)


def same(one, other):
    for part, variables in one.state.items():
        for a, b in zip(variables, other.state[part], strict=True):
            np.testing.assert_array_equal(a, b, err_msg=part)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model as after three epochs, and its folder; leave both alone."""
    from toy_model import make_model

    model, folder = make_model(), tmp_path_factory.mktemp("checkpoint")
    rng = np.random.default_rng(0)
    for epoch in range(3):
        for variable in itertools.chain(*model.state.values()):
            value = np.asarray(variable)
            steps = np.issubdtype(value.dtype, np.integer)
            variable.assign(
                value + 2 if steps else rng.normal(size=value.shape)
            )
        save(model, folder, epoch)
    return model, folder


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the folder, to be damaged."""
    for path in trained[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_weights_optimisers_and_steps_come_back(trained, tiny_model):
    model = tiny_model(seed=1)
    assert names(trained[1]) == ["state_0002.npz", "state_0003.npz"]
    assert restore(model, trained[1]) == 3
    same(trained[0], model)
    assert int(model.g_optimizer.iterations) == int(model.step) == 6
    with zipfile.ZipFile(trained[1] / "state_0003.npz") as archive:
        members = archive.namelist()
    assert all(name.endswith(".npy") for name in members)
    for part in ("generator", "d_optimizer", "step"):
        assert f"{part}_0.npy" in members


def test_every_option_resumes_bit_for_bit(tiny_config, tmp_path):
    config = tiny_config(**EVERYTHING)
    model = build_dcgan(config)

    def fit(first):
        model.fit(
            np.random.default_rng(0).uniform(-1, 1, [4, 32, 32, 1]),
            batch_size=2,
            shuffle=False,
            initial_epoch=first,
            epochs=2,
            verbose=0,
            callbacks=[Checkpoint(tmp_path)],
        )

    fit(0)
    straight = {
        part: [np.array(v) for v in variables]
        for part, variables in model.state.items()
    }
    (tmp_path / "state_0002.npz").unlink()
    assert restore(model, tmp_path) == 1
    fit(1)
    for part, variables in model.state.items():
        for a, b in zip(straight[part], variables, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=part)
    # what the options keep is there, and has moved
    assert set(straight) == {
        *("generator", "discriminator", "average", "augmenter"),
        *("g_optimizer", "d_optimizer", "step"),
    }
    for part, variables in build_dcgan(config).state.items():
        moved = zip(variables, straight[part], strict=True)
        assert any(not np.array_equal(a, b) for a, b in moved), part


def test_a_failed_write_keeps_the_earlier_epochs(
    trained, folder, tiny_model, monkeypatch
):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save(trained[0], folder, 3)
    assert names(folder) == ["state_0002.npz", "state_0003.npz"]
    assert restore(tiny_model(), folder) == 3


def test_the_arrays_reach_the_disk_before_their_name(
    trained, folder, monkeypatch
):
    order = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda f: (order.append("sync"), sync(f)))
    monkeypatch.setattr(
        os, "replace", lambda *p: (order.append("name"), rename(*p))
    )
    save(trained[0], folder, 3)
    assert order == ["sync", "name"]
    assert names(folder) == ["state_0003.npz", "state_0004.npz"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".partial-1234.state_0003.npz").touch()
    (tmp_path / "state_0002.npz").touch()
    Checkpoint(tmp_path).on_train_begin()
    Checkpoint(tmp_path / "absent").on_train_begin()
    assert names(tmp_path) == ["state_0002.npz"]
    for number in (3, 4):
        (tmp_path / f"state_000{number}.npz").touch()
    remove_older_states(tmp_path)
    remove_older_states(tmp_path / "absent")
    assert names(tmp_path) == ["state_0003.npz", "state_0004.npz"]


def test_nothing_saved_means_the_start(tiny_model, tmp_path):
    model = tiny_model()
    assert restore(model, tmp_path / "absent") == 0
    same(model, tiny_model())


@pytest.mark.parametrize("kept", [0, 20, -100])
def test_a_damaged_state_gives_way_to_the_one_before(
    folder, tiny_model, capsys, kept
):
    path = folder / "state_0003.npz"
    path.write_bytes(path.read_bytes()[:kept])
    model = tiny_model()
    assert restore(model, folder) == 2
    assert int(model.step) == 4
    line = capsys.readouterr().err
    assert line.startswith("pet-dcgan: ")
    assert "state_0003.npz is damaged" in line
    assert line.count("\n") == 1


def test_any_flipped_byte_is_seen_or_without_effect(folder, trained):
    path = folder / "state_0003.npz"
    whole = path.read_bytes()
    (folder / "state_0002.npz").unlink()
    wanted = newest_state(trained[1])[1]
    rng, seen = np.random.default_rng(0), 0
    for place in rng.integers(len(whole), size=60):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = newest_state(folder)[1]
        except ValueError:
            seen += 1
            continue
        assert found.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array)
    assert seen > 40


def test_a_damaged_size_does_not_ask_for_all_memory(folder, tiny_model):
    path = folder / "state_0003.npz"
    honest, huge = b"(6, 256), }" + b" " * 12, b"(6, 25600000000000), }" + b" "
    whole = path.read_bytes()
    assert honest in whole
    path.write_bytes(whole.replace(honest, huge))
    assert restore(tiny_model(), folder) == 2


def test_where_all_are_damaged_the_newest_is_named(folder, tiny_model):
    for path in folder.iterdir():
        path.write_bytes(b"half")
    with pytest.raises(ValueError, match=r"damaged, .*state_0003.*--run"):
        restore(tiny_model(), folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 8}, r"generator_0: expected \(6, 512\), found \(6, 256\)"),
        ({"ema_decay": 0.9}, r"average_0: expected .*, found None"),
    ],
)
def test_a_state_of_another_architecture_changes_nothing(
    trained, tiny_config, changes, message
):
    model = build_dcgan(tiny_config(**changes))
    before = [np.array(v) for v in model.variables]
    with pytest.raises(ValueError, match=f"architecture .{message}"):
        restore(model, trained[1])
    for old, new in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, new)


class TestLastHealthy:
    @pytest.fixture
    def states(self, tmp_path):
        """Writes the states of epochs, as `Checkpoint` names them."""

        def write(*epochs):
            for epoch in epochs:
                path = tmp_path / f"state_{epoch:04}.npz"
                path.write_text(f"epoch {epoch}")

        return write

    # the second is counted and not compared as text
    @pytest.mark.parametrize("epoch", [4, 9999])
    def test_state_is_kept_when_later_ones_replace_it(
        self, states, tmp_path, epoch
    ):
        states(epoch - 1, epoch)
        for each in (epoch - 1, epoch, epoch):
            keep_last_healthy(tmp_path, each)
        kept = [p.name for p in tmp_path.glob("sound_*")]
        assert kept == [f"sound_{epoch:04}.npz"]
        for path in tmp_path.glob("state_*"):
            path.unlink()
        states(epoch + 4, epoch + 5)
        assert return_to_last_healthy(tmp_path) == epoch
        assert names(tmp_path) == [f"state_{epoch:04}.npz"]
        text = (tmp_path / f"state_{epoch:04}.npz").read_text()
        assert text == f"epoch {epoch}"

    def test_state_that_is_still_there_has_one_name_afterwards(
        self, states, tmp_path
    ):
        states(4, 5)
        keep_last_healthy(tmp_path, 4)
        assert return_to_last_healthy(tmp_path) == 4
        assert names(tmp_path) == ["state_0004.npz"]

    @pytest.mark.parametrize("links", [True, False])
    def test_rewritten_state_leaves_the_kept_one_until_the_end(
        self, states, tmp_path, monkeypatch, links
    ):
        def refuse(*args):
            raise PermissionError(1, "Operation not permitted")

        if not links:
            monkeypatch.setattr(os, "link", refuse)
        states(4)
        keep_last_healthy(tmp_path, 4)
        (tmp_path / "new").write_text("another epoch 4")
        os.replace(tmp_path / "new", tmp_path / "state_0004.npz")
        assert (tmp_path / "sound_0004.npz").read_text() == "epoch 4"
        drop_last_healthy(tmp_path)
        assert names(tmp_path) == ["state_0004.npz"]

    def test_nothing_happens_without_a_state(self, states, tmp_path):
        states(3)
        (tmp_path / "samples_0001.npz").write_text("tiles")
        before = names(tmp_path)
        for folder in (tmp_path, tmp_path / "nowhere"):
            keep_last_healthy(folder, 9)
            assert return_to_last_healthy(folder) == 0
            drop_last_healthy(folder)
        assert names(tmp_path) == before
