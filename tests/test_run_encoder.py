import numpy as np
import pytest
from toy_brains import subjects_slices

from pet_dcgan.data.prepared_set import SetMeta, Slices
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.runs import run_encoder
from pet_dcgan.runs.run_encoder import encoder_of


@pytest.fixture
def slices():
    images, subjects, positions = subjects_slices(4, seed=0)
    meta = SetMeta(32, 6.0, 2.5, True, ("axial",), "axial_32", "1.0.0")
    stored = png_from_suvr(images, 2.5)
    return Slices(stored, subjects, subjects, positions, meta)


@pytest.fixture
def asked(monkeypatch):
    """What encoders were trained with; they are trained for two steps."""
    calls = []

    def train(images, **options):
        calls.append((images, options))
        return train_encoder(images, steps=2, **options)

    monkeypatch.setattr(run_encoder, "train_encoder", train)
    return calls


def test_it_is_made_once_and_used_again(tmp_path, slices, asked):
    images = subjects_slices(2, seed=1)[0]
    first = encoder_of(tmp_path, slices, seed=3).features(images)
    again = encoder_of(tmp_path, slices, seed=3).features(images)
    np.testing.assert_array_equal(first, again)
    assert len(asked) == 1
    made_of, options = asked[0]
    expected = subjects_slices(4, seed=0)[0]
    np.testing.assert_allclose(made_of, expected, atol=1e-4)
    assert options["seed"] == 3


def test_a_damaged_one_is_made_anew_and_that_is_said(
    tmp_path, slices, asked, capsys
):
    encoder_of(tmp_path, slices, seed=0)
    path = tmp_path / "encoder" / "encoder.npz"
    path.write_bytes(b"PK half")
    encoder_of(tmp_path, slices, seed=0)
    assert len(asked) == 2
    assert "it is made again" in capsys.readouterr().err


def test_of_very_many_slices_some_of_every_subject_are_used(
    tmp_path, slices, asked, monkeypatch
):
    monkeypatch.setattr(run_encoder, "_BYTES", 8 * 4 * 32 * 32)
    encoder_of(tmp_path, slices, seed=0)
    made_of, options = asked[0]
    assert len(made_of) == 8
    assert set(options["subjects"]) == set(slices.subjects)
