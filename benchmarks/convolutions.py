"""Each strided convolution alone, in TensorFlow's form and by patches.

Forward, by input and by kernel, at the shapes of the paper's discriminator
(the generator's are the same the other way round), as shares of the rate of a
matrix product. `pet_dcgan.models.cpu_layers` goes by it.

    python benchmarks/convolutions.py [--batch 16 64] [--threads 1]

With one thread processor time counts, which a busy machine hardly changes.
"""

import argparse
import itertools
import statistics
import time

import reporting

from pet_dcgan.cli.console import start_tensorflow

SIDES = {4: (512, 1024), 8: (256, 512), 16: (128, 256), 32: (64, 128)}
SIDE, KERNEL = 1500, 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=(16, 64))
    parser.add_argument("--threads", type=int, default=1, help="0: all cores")
    parser.add_argument("--repeats", type=int, default=3)
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    start_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    rows = [
        row(side, batch, clock, options.repeats)
        for side, batch in itertools.product(
            (64, *sorted(SIDES, reverse=True)), options.batch
        )
    ]
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


def row(side, batch, clock, repeats):
    """Shares of a matrix product's rate, of one layer."""
    import tensorflow as tf

    from pet_dcgan.models import cpu_layers

    channels, filters = SIDES.get(side, (3, 64))
    images = tf.random.stateless_normal(
        [batch, 2 * side, 2 * side, channels], [0, 0]
    )
    maps = tf.random.stateless_normal([batch, side, side, filters], [1, 0])
    kernel = tf.random.stateless_normal(
        [KERNEL, KERNEL, channels, filters], [2, 0]
    )
    shape = images.shape

    def patches():
        return cpu_layers._patches(images, kernel)

    def product():
        rows = tf.reshape(maps, [-1, filters])
        return tf.matmul(patches(), rows, transpose_a=True)

    forms = {
        "forward": lambda: tf.nn.conv2d(images, kernel, 2, "SAME"),
        "forward, patches": lambda: cpu_layers._down(images, kernel, patches()),
        "by input": lambda: tf.nn.conv2d_transpose(
            maps, kernel, shape, 2, "SAME"
        ),
        "by input, patches": lambda: cpu_layers._up_by_patches(maps, kernel),
        "by kernel": lambda: tf.raw_ops.Conv2DBackpropFilter(
            input=images,
            filter_sizes=kernel.shape,
            out_backprop=maps,
            strides=[1, 2, 2, 1],
            padding="SAME",
        ),
        "by kernel, patches": product,
    }
    work = 2 * batch * (side * KERNEL) ** 2 * channels * filters
    shares = timed(forms, clock, repeats)
    speed = {name: work / seconds for name, (seconds, _) in shares.items()}
    return {"side": side, "channels": channels, "batch": batch} | {
        name: f"{speed[name] / rate:.2f}" for name, (_, rate) in shares.items()
    }


def timed(forms, clock, repeats):
    """Medians of seconds and of a product's rate beside it; in turns."""
    import tensorflow as tf

    matrix = tf.random.stateless_normal([SIDE, SIDE], [0, 0])
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    functions = {name: tf.function(form) for name, form in forms.items()}
    found = {name: [] for name in forms}
    for number in range(repeats + 1):
        for name, function in functions.items():
            seconds = _seconds(function, clock)
            rate = 2 * SIDE**3 / _seconds(multiply, clock)
            if number:  # the first one compiles
                found[name].append((seconds, rate))
    return {
        name: tuple(map(statistics.median, zip(*pairs, strict=True)))
        for name, pairs in found.items()
    }


def _seconds(function, clock):
    started = clock()
    function()
    return clock() - started


if __name__ == "__main__":
    main()
