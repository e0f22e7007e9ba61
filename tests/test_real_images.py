"""Images of any origin: found in a batch, scaled, and refused."""

import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.data import real_images as module
from pet_dcgan.data.real_images import (
    first_images,
    images_of,
    in_unit_scale,
    model_images,
    require_model_scale,
    scale_to_model,
)

SHAPE = (None, 4, 4, 1)
IMAGES = np.linspace(-1, 1, 48, dtype=np.float32).reshape(3, 4, 4, 1)


class Batches(keras.utils.PyDataset):
    """Two batches."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[index : index + 1], np.zeros(1)


# --- scale_to_model -----------------------------------------------------------


def test_suvr_by_hand_and_clipped():
    suvr = np.array([[[0.0, 1.25], [2.5, 4.0]]])
    scaled = scale_to_model(suvr, suvr_max=2.5)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[..., 0], [[[-1, 0], [1, 1]]])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pixels_are_shares_of_their_largest_value(kind):
    pixels = np.array([[[[0], [np.iinfo(kind).max]]]], kind)
    np.testing.assert_array_equal(scale_to_model(pixels)[0, 0, :, 0], [-1, 1])


def test_it_works_inside_a_pipeline():
    data = tf.data.Dataset.from_tensor_slices(np.full([2, 4, 4, 1], 2.5))
    (batch,) = data.batch(2).map(lambda x: scale_to_model(x, suvr_max=5.0))
    np.testing.assert_array_equal(batch, np.zeros([2, 4, 4, 1]))


def test_stored_pixels_scale_as_the_networks_scale_them():
    stored = np.array([[[0, 1, 30_000, 65_535]]], np.uint16).reshape(1, 2, 2, 1)
    by_model = model_images(stored, (None, 2, 2, 1))
    np.testing.assert_allclose(scale_to_model(stored), by_model, atol=1e-6)


@pytest.mark.parametrize("suvr_max", [None, 0.0, -1.0, np.nan])
def test_floats_need_a_scale(suvr_max):
    with pytest.raises(ValueError, match="expected suvr_max, the SUVR that 1"):
        scale_to_model(IMAGES, suvr_max=suvr_max)


def test_scaled_images_are_not_scaled_again():
    with pytest.raises(ValueError, match=r"found -1: images in .* are scaled"):
        scale_to_model(IMAGES, suvr_max=2.5)


def test_the_example():
    assert doctest.testmod(module).failed == 0


# --- batches ------------------------------------------------------------------


@pytest.mark.parametrize(
    "batch",
    [
        IMAGES,
        (IMAGES,),
        [IMAGES, np.zeros(3)],
        (IMAGES, np.zeros(3), None),
        {"image": IMAGES, "label": np.zeros(3)},
        ({"image": IMAGES}, np.zeros(3)),
    ],
)
def test_images_are_found(batch):
    assert images_of(batch) is IMAGES
    np.testing.assert_array_equal(model_images(batch, SHAPE), IMAGES)


def test_a_dictionary_without_images_is_refused():
    with pytest.raises(ValueError, match="'image', found one of 'x', 'label'"):
        images_of({"x": IMAGES, "label": 1})


def test_stored_pixels_are_taken_with_and_without_a_channel():
    stored = np.array([0, 65_535], np.uint16).reshape(1, 2, 1)
    for pixels in (stored, stored[..., np.newaxis]):
        images = model_images(pixels, (None, 2, 1, 1))
        np.testing.assert_array_equal(np.ravel(images), [-1, 1])


def test_stored_pixels_of_three_channels_keep_all_of_them():
    stored = np.array([0, 65_535, 0], np.uint16).reshape(1, 1, 1, 3)
    images = model_images(stored, (None, 1, 1, 3))
    np.testing.assert_array_equal(np.ravel(images), [-1, 1, -1])


@pytest.mark.parametrize("kind", [np.float32, np.uint16])
def test_images_without_a_shape_are_refused_with_the_way_out(kind):
    data = tf.data.Dataset.from_generator(lambda: [IMAGES], kind)
    with pytest.raises(ValueError, match=r"known shape, .*output_signature"):
        data.map(lambda images: model_images(images, SHAPE))


def test_one_channel_is_repeated_for_three():
    images = model_images(IMAGES, (None, 4, 4, 3))
    np.testing.assert_array_equal(images, np.repeat(IMAGES, 3, axis=-1))


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (IMAGES[:, :2], r"\[n, 2, 4, 1\]"),
        (np.repeat(IMAGES, 2, -1), r"\[n, 4, 4, 2\]"),
        (IMAGES[..., 0], r"\[n, 4, 4\]"),
        (IMAGES[0], r"\[n, 4, 1\]"),
    ],
)
def test_another_shape_is_refused(images, found):
    with pytest.raises(ValueError, match=rf"\[n, 4, 4, 1\], found {found}"):
        model_images(images, SHAPE)


# --- their scale --------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (((IMAGES + 1) * 127.5).astype(np.uint8), "uint8 pixels"),
        ((IMAGES + 1).astype(np.int64), "int64 pixels"),
        ((IMAGES + 1) * 1.25, "0 to 2.5"),
        ((IMAGES + 1) / 2, "0 to 1"),
        (IMAGES * 3, "-3 to 3"),
    ],
)
def test_another_scale_is_refused_with_the_call_that_scales(images, found):
    words = rf"found {found}: scale them with pet_dcgan.scale_to_model\("
    for batch in (images, (images, np.zeros(3)), {"image": images}):
        with pytest.raises(ValueError, match=words):
            require_model_scale(batch)


@pytest.mark.parametrize(
    ("most", "kind"), [(255.0, "uint8"), (65_535.0, "uint16")]
)
def test_pixels_as_floats_are_scaled_as_pixels(most, kind):
    words = rf"to {most:.0f}: .*images.astype\('{kind}'\)\)"
    with pytest.raises(ValueError, match=words):
        require_model_scale((IMAGES + 1) / 2 * most)


def test_whole_numbers_are_refused_inside_a_graph_too():
    with pytest.raises(ValueError, match="found uint8 pixels: scale"):
        model_images(np.zeros([3, 4, 4, 1], np.uint8), SHAPE)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    images = IMAGES.copy()
    images[1, 2, 3, 0] = value
    with pytest.raises(ValueError, match="expected finite images"):
        require_model_scale(images)


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        IMAGES * 1.005,
        IMAGES.astype(np.float16),
        np.zeros([2, 4, 4, 1], np.float32),
        np.zeros([2, 4, 4], np.uint16),
        np.empty([0, 4, 4, 1], np.float32),
    ],
)
def test_what_is_right_passes(images):
    require_model_scale(images)


# --- a first look -------------------------------------------------------------


def test_some_images_of_whatever_holds_them(toy_slices):
    data = tf.data.Dataset.from_tensor_slices(IMAGES)
    for held, count in (
        (IMAGES, 3),
        ([IMAGES, np.zeros(3)], 3),
        (tf.constant(IMAGES), 3),
        (data.batch(2), 3),
        (data.batch(1).map(lambda x: {"image": x}), 3),
        (Batches(), 2),
        (toy_slices, len(toy_slices.images)),
    ):
        assert len(first_images(held)) == count


def test_no_more_than_a_few_are_looked_at():
    rows = np.arange(100.0).reshape(100, 1, 1, 1)
    found = first_images(rows, most=3).ravel()
    np.testing.assert_array_equal(found, [0, 50, 99])
    endless = tf.data.Dataset.from_tensors(IMAGES).repeat()
    assert len(first_images(endless, most=4)) == 6


def test_an_endless_sequence_is_looked_at():
    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return IMAGES

    assert len(first_images(Endless(), most=4)) == 6


def test_nothing_is_taken_from_a_generator():
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    data = tf.data.Dataset.from_tensors(IMAGES)
    shared = strategy.experimental_distribute_dataset(data)
    batches = iter([IMAGES])
    for once in (shared, batches):
        assert not len(first_images(once))
    assert next(batches) is IMAGES


def test_shares_of_the_largest_uptake():
    np.testing.assert_allclose(
        in_unit_scale(np.array([[[[-1.0], [1.0]]]])), [[[0, 1]]]
    )
    stored = np.array([[[0, 65_535]]], np.uint16)
    np.testing.assert_array_equal(in_unit_scale(stored), [[[0, 1]]])
