import numpy as np
import pytest

from pet_dcgan.checkpoint import Checkpoint, restore

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
    assert names(tmp_path) == ["epoch_0002.weights.h5"]


def test_a_failed_write_keeps_the_earlier_epoch(
    trained, tiny_model, tmp_path, monkeypatch
):
    def full(path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trained, "save_weights", full)
    callback = Checkpoint(tmp_path)
    callback.set_model(trained)
    with pytest.raises(OSError, match="No space left"):
        callback.on_epoch_end(2)
    assert names(tmp_path) == ["epoch_0002.weights.h5"]
    assert restore(tiny_model(), tmp_path) == 2


def test_nothing_saved_means_the_start(tiny_model, tmp_path):
    model = tiny_model()
    before = [np.array(w) for w in model.weights]
    assert restore(model, tmp_path / "absent") == 0
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_damaged_state_is_named(trained, tiny_model, tmp_path):
    (tmp_path / "epoch_0002.weights.h5").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"epoch_0002.*damaged"):
        restore(tiny_model(), tmp_path)
