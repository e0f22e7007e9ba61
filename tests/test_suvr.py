import numpy as np
import pytest

from pet_dcgan.data import suvr


def test_every_stored_value_survives_the_round_trip():
    stored = np.arange(65536, dtype=np.uint16)
    found = suvr.suvr_from_png(stored, 2.5)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(suvr.png_from_suvr(found, 2.5), stored)


def test_hand_values():
    stored = np.array([0, 13107, 65535], np.uint16)  # 13107 is a fifth
    np.testing.assert_allclose(
        suvr.suvr_from_png(stored, 2.5), [0, 0.5, 2.5], rtol=1e-7
    )


def test_values_outside_the_scale_are_clipped():
    stored = suvr.png_from_suvr(np.array([-0.1, 9.0]), 2.5)
    assert stored.tolist() == [0, 65535]


@pytest.mark.parametrize("suvr_max", [0, -1, np.nan, np.inf])
def test_a_bad_scale_is_refused(suvr_max):
    with pytest.raises(ValueError, match="suvr_max above 0"):
        suvr.png_from_suvr(np.zeros(2), suvr_max)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: suvr.suvr_from_png(np.zeros(2), 2.5), "uint16, found float64"),
        (lambda: suvr.png_from_suvr([1, np.nan], 2.5), "found 1 NaN"),
    ],
)
def test_bad_arrays_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
