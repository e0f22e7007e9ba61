import re
import urllib.error

import numpy as np
import pytest
from keras.src.utils import file_utils

from pet_dcgan.features import inception
from pet_dcgan.features.inception import inception_encoder


@pytest.fixture(scope="module")
def encoder():
    """The network with random weights: nothing is fetched."""
    return inception_encoder(suvr_max=2.5, weights=None)


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """A machine whose Keras has fetched nothing and cannot."""

    def fail(url, *_):
        asked.append(url)
        raise urllib.error.URLError("[Errno -3] no\n name resolution")

    asked = []
    monkeypatch.setattr(file_utils, "urlretrieve", fail)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    return asked


def test_features(encoder, monkeypatch):
    monkeypatch.setattr(inception, "_CHUNK", 1)
    images = np.random.default_rng(0).uniform(0, 2.5, (2, 16, 16))
    assert encoder.facts == {
        "name": "inception",
        "version": 1,
        "weights": None,
        "scale": 2.5,
        "features": 2048,
    }
    found = encoder.features(images)
    assert found.shape == (len(images), inception.FEATURES)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() > 0
    monkeypatch.setattr(inception, "_CHUNK", 2)
    np.testing.assert_allclose(encoder.features(images), found, atol=1e-4)


def test_the_network_sees_grey_from_black_to_white():
    image = np.zeros((1, 16, 16), np.float32)
    image[:, 8:] = 2.5
    shown = np.asarray(inception._shown(image, 2.5))
    assert shown.shape == (1, 299, 299, 3)
    np.testing.assert_allclose(shown[0, 0], -1)
    np.testing.assert_allclose(shown[0, -1], 1, atol=1e-6)
    np.testing.assert_array_equal(shown[..., 0], shown[..., 2])


def test_weights_that_cannot_be_fetched_are_one_line(no_network, capsys):
    with pytest.raises(ConnectionError) as raised:
        inception_encoder(suvr_max=2.5)
    message = str(raised.value)
    assert message.startswith("expected the weights of InceptionV3, which")
    assert "no name resolution" in message
    assert message.endswith("or leave out --encoder inception")
    assert "\n" not in message
    assert capsys.readouterr().out == ""
    # the file that the message asks for is the one that Keras wants
    assert no_network[0].endswith(
        re.search(r"put (\S+) into", message).group(1)
    )


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 15, 15), "multiple|16"), ((16, 16), "found")]
)
def test_other_images_are_refused(encoder, shape, message):
    with pytest.raises(ValueError, match=message):
        encoder.features(np.ones(shape))


@pytest.mark.parametrize("suvr_max", [0, float("nan")])
def test_bad_scale_is_refused(suvr_max):
    with pytest.raises(ValueError, match="suvr_max above 0"):
        inception_encoder(suvr_max=suvr_max)
