import numpy as np
import pytest

from pet_dcgan.checkpoint import Checkpoint, restore
from pet_dcgan.model import DCGAN
from pet_dcgan.networks import build_discriminator, build_generator

REAL = np.random.default_rng(0).uniform(-1, 1, [4, 32, 32, 1])


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def trained(tiny_model, tmp_path):
    model = tiny_model()
    model.fit(REAL, epochs=2, verbose=0, callbacks=[Checkpoint(tmp_path)])
    return model


def test_weights_and_optimisers_come_back(trained, tiny_model, tmp_path):
    model = tiny_model(seed=1)
    assert restore(model, tmp_path) == 2
    for part in ("generator", "discriminator", "g_optimizer", "d_optimizer"):
        saved = getattr(trained, part).variables
        for a, b in zip(saved, getattr(model, part).variables, strict=True):
            np.testing.assert_array_equal(a, b)
    assert int(model.g_optimizer.iterations) == 2


def test_only_the_last_epoch_is_kept(trained, tmp_path):
    assert names(tmp_path) == ["state_0002.npz"]


def test_a_failed_write_keeps_the_earlier_epoch(
    trained, tiny_model, tmp_path, monkeypatch
):
    def full(path, **arrays):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    callback = Checkpoint(tmp_path)
    callback.set_model(trained)
    with pytest.raises(OSError, match="No space left"):
        callback.on_epoch_end(2)
    assert names(tmp_path) == ["state_0002.npz"]
    assert restore(tiny_model(), tmp_path) == 2


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".partial-1234.state_0003.npz").touch()
    (tmp_path / "state_0002.npz").touch()
    Checkpoint(tmp_path).on_train_begin()
    Checkpoint(tmp_path / "absent").on_train_begin()
    assert names(tmp_path) == ["state_0002.npz"]


def test_nothing_saved_means_the_start(tiny_model, tmp_path):
    model = tiny_model()
    before = [np.array(w) for w in model.weights]
    assert restore(model, tmp_path / "absent") == 0
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("start", [b"half", b"PK\3\4half", b""])
def test_a_damaged_state_is_named(trained, tiny_model, tmp_path, start):
    (tmp_path / "state_0002.npz").write_bytes(start)
    with pytest.raises(ValueError, match=r"state_0002.*damaged"):
        restore(tiny_model(), tmp_path)


def test_a_state_of_another_model_is_named(trained, tmp_path):
    shape = {"size": 32, "channels": 1, "width": 8}
    model = DCGAN(
        build_generator(latent_dim=6, **shape), build_discriminator(**shape)
    )
    model.compile()
    with pytest.raises(ValueError, match="state of this run"):
        restore(model, tmp_path)
