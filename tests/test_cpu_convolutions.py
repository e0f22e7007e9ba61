import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import cpu_convolutions

SIDE = 8


def plain(images, kernel):
    return tf.nn.conv2d(images, kernel, 2, "SAME")


def plain_transposed(maps, kernel):
    count, side = maps.shape[:2]
    shape = [count, 2 * side, 2 * side, kernel.shape[2]]
    return tf.nn.conv2d_transpose(maps, kernel, shape, 2, "SAME")


def random(shape, seed):
    return tf.random.stateless_normal(shape, [seed, 0])


def output_and_gradients(function, inputs, kernel, upstream):
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        outputs = function(inputs, kernel)
    by = tape.gradient(outputs, [inputs, kernel], upstream)
    return [outputs, *by]


def difference(found, wanted):
    """Largest of outputs and gradients, against the largest number in each."""
    assert [f.shape for f in found] == [w.shape for w in wanted]
    # np.max, as max would pass over what is no number
    return np.max(
        [
            np.max(np.abs(f - w)) / np.max(np.abs(w))
            for f, w in zip(found, wanted, strict=True)
        ]
    )


@pytest.fixture(params=[False, True], ids=["as they are", "all by patches"])
def by_patches(request, monkeypatch):
    """The forms for kernels that outweigh the map, for small ones too."""
    if request.param:
        monkeypatch.setattr(cpu_convolutions, "_HEAVY", 1)
        monkeypatch.setattr(cpu_convolutions, "_HEAVY_TO_LEARN", 1)


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("side", [2, 4, SIDE])
def test_outputs_and_gradients_are_those_of_tensorflow(
    side, size, channels, by_patches
):
    images = random([3, side, side, channels], 0)
    kernel = random([size, size, channels, 6], 1)
    maps = random([3, side // 2, side // 2, 6], 2)
    down, up = [
        [output_and_gradients(f, *given) for f in pair]
        for pair, given in (
            ((cpu_convolutions.convolve, plain), (images, kernel, maps)),
            (
                (cpu_convolutions.convolve_transposed, plain_transposed),
                (maps, kernel, images),
            ),
        )
    ]
    assert difference(*down) < 1e-5
    assert difference(*up) < 1e-5


def test_the_heaviest_layer_of_the_paper_is_computed_by_patches():
    assert cpu_convolutions._is_heavy(4, tf.zeros([5, 5, 512, 1024]))
    assert not cpu_convolutions._is_heavy(8, tf.zeros([5, 5, 256, 512]))
    assert not cpu_convolutions._is_heavy(8, tf.zeros([5, 5, 512, 1024]))


def test_the_operations_are_those_that_were_measured_to_be_fast(by_patches):
    @tf.function
    def both(images, kernel):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            maps = cpu_convolutions.convolve(images, kernel)
        return tape.gradient(maps, [images, kernel])

    graph = both.get_concrete_function(
        tf.TensorSpec([None, SIDE, SIDE, 5]), tf.TensorSpec([5, 5, 5, 6])
    ).graph
    found = {operation.type for operation in graph.get_operations()}
    heavy = cpu_convolutions._HEAVY == 1
    assert ("MatMul" in found) == heavy
    assert ("Conv2DBackpropFilter" in found) != heavy
    assert ("Conv2DBackpropInput" in found) != heavy


@pytest.mark.parametrize(("channels", "few"), [(1, True), (5, False)])
def test_an_image_is_made_by_sub_pixels(channels, few):
    graph = (
        tf.function(cpu_convolutions.convolve_transposed)
        .get_concrete_function(
            tf.TensorSpec([None, 4, 4, 6]), tf.TensorSpec([5, 5, channels, 6])
        )
        .graph
    )
    found = [operation.type for operation in graph.get_operations()]
    assert ("DepthToSpace" in found) == few
    assert ("Conv2DBackpropInput" in found) != few


def test_a_batch_of_any_size_is_taken(by_patches):
    kernel = random([5, 5, 3, 6], 0)
    function = tf.function(
        lambda maps, kernel, upstream: output_and_gradients(
            cpu_convolutions.convolve_transposed, maps, kernel, upstream
        ),
        input_signature=[
            tf.TensorSpec([None, 4, 4, 6]),
            tf.TensorSpec(kernel.shape),
            tf.TensorSpec([None, 8, 8, 3]),
        ],
    )
    for count in (1, 2):
        given = random([count, 4, 4, 6], 1), kernel, random([count, 8, 8, 3], 2)
        wanted = output_and_gradients(plain_transposed, *given)
        assert difference(function(*given), wanted) < 1e-5


def test_gradients_of_gradients_are_those_of_tensorflow(by_patches):
    images, kernel = random([2, SIDE, SIDE, 3], 0), random([5, 5, 3, 4], 1)

    def steepness(function):
        with tf.GradientTape() as outer:
            outer.watch(kernel)
            with tf.GradientTape() as inner:
                inner.watch(images)
                total = tf.reduce_sum(function(images, kernel) ** 3)
            steep = tf.reduce_sum(inner.gradient(total, images) ** 2)
        return [steep, outer.gradient(steep, kernel)]

    assert (
        difference(steepness(cpu_convolutions.convolve), steepness(plain))
        < 1e-5
    )
