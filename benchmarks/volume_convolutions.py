"""Strided 3-D convolutions: TensorFlow's own, and as 2-D ones.

As 2-D ones: the four taps along the third axis are laid beside each other as
channels, and all planes of all volumes form one batch. Both compute the same
function. TensorFlow's own is fast where its oneDNN kernels are used, which it
decides by the processor, and very slow on deep maps where they are not.

    python benchmarks/volume_convolutions.py [--batch 8] [--repeats 3]

Rates are GFLOP a second of processor time on one thread, of a forward pass
and both gradients, beside those of a matrix product.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import reporting

# side of the larger map, channels of the larger and of the smaller one
LAYERS = ((64, 1, 16), (32, 16, 32), (16, 32, 64), (8, 64, 128))
KERNEL, SIDE = 4, 1500
SETTINGS = {
    "as it decides": {},
    "oneDNN on, AVX2": {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "oneDNN off": {"TF_ENABLE_ONEDNN_OPTS": "0"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help="for itself")
    reporting.add_out(parser)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measured(options.batch, options.repeats)))
        return
    rows = []
    for name, variables in SETTINGS.items():
        command = [sys.executable, __file__, "--worker"]
        command += ["--batch", str(options.batch)]
        command += ["--repeats", str(options.repeats)]
        run = subprocess.run(
            command,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        found = json.loads(run.stdout.splitlines()[-1])
        rows += [{"setting": name} | row for row in found]
    reporting.print_table(rows)
    machine = reporting.machine()
    reporting.write({"machine": machine, "rows": rows}, options.out)


def measured(batch, repeats):
    """A row for each layer and direction."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    matrix = tf.random.stateless_normal([SIDE, SIDE], [0, 0])
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    rate = 2 * SIDE**3 / seconds_of(product, repeats)
    rows = []
    for side, channels, filters in LAYERS:
        maps = [batch, *[side] * 3, channels]
        small = [batch, *[side // 2] * 3, filters]
        kernel = [KERNEL] * 3 + [channels, filters]
        kernel = tf.random.stateless_normal(kernel, [1, 0]) * 0.05
        work = 6 * batch * (side // 2) ** 3 * KERNEL**3 * channels * filters
        for name, forms, shape in (
            ("down", (down, down_in_2d), maps),
            ("up", (up, up_in_2d), small),
        ):
            inputs = tf.random.stateless_normal(shape, [2, 0])
            difference = forms[0](inputs, kernel) - forms[1](inputs, kernel)
            own, flat = (
                work / seconds_of(both_ways(form, inputs, kernel), repeats)
                for form in forms
            )
            rows.append(
                {
                    "layer": f"{name} {side}, {channels} and {filters}",
                    "matrix product": round(rate / 1e9, 1),
                    "own": round(own / 1e9, 1),
                    "in 2-D": round(flat / 1e9, 1),
                    "difference": f"{float(abs(difference.numpy()).max()):.1e}",
                }
            )
    return rows


def both_ways(form, inputs, kernel):
    """A forward pass and both gradients of one layer, as a function."""
    import tensorflow as tf

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([inputs, kernel])
            loss = tf.reduce_sum(tf.square(form(inputs, kernel)))
        return [tf.reduce_sum(g) for g in tape.gradient(loss, [inputs, kernel])]

    return step


def seconds_of(function, repeats):
    """Median of the processor time of a call; the first one compiles."""
    function()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        found.append(time.process_time() - started)
    return statistics.median(found)


def down(maps, kernel):
    """TensorFlow's own, to half the side."""
    import tensorflow as tf

    return tf.nn.conv3d(maps, kernel, [1, 2, 2, 2, 1], "SAME")


def up(maps, kernel):
    """TensorFlow's own, to twice the side; the kernel is that of `down`."""
    import tensorflow as tf

    sides = [2 * side for side in maps.shape[1:4]]
    shape = [maps.shape[0], *sides, kernel.shape[3]]
    return tf.nn.conv3d_transpose(maps, kernel, shape, [1, 2, 2, 2, 1], "SAME")


def down_in_2d(maps, kernel):
    """The taps along the first axis as channels of one 2-D convolution."""
    import tensorflow as tf

    count, planes, rows, columns, channels = maps.shape
    padded = tf.pad(maps, [[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]])
    taps = [padded[:, tap : tap + planes : 2] for tap in range(KERNEL)]
    flat = tf.reshape(
        tf.concat(taps, -1), [-1, rows, columns, KERNEL * channels]
    )
    weights = tf.reshape(
        tf.transpose(kernel, [1, 2, 0, 3, 4]),
        [KERNEL, KERNEL, KERNEL * channels, kernel.shape[-1]],
    )
    made = tf.nn.conv2d(flat, weights, 2, "SAME")
    return tf.reshape(
        made, [count, planes // 2, rows // 2, columns // 2, kernel.shape[-1]]
    )


def up_in_2d(maps, kernel):
    """Even and odd planes, each of two taps as channels."""
    import tensorflow as tf

    count, planes, rows, columns, channels = maps.shape
    sides = [2 * rows, 2 * columns, kernel.shape[3]]
    padded = tf.pad(maps, [[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]])

    def half(other, taps):
        pair = [padded[:, 1:-1], padded[:, other : other + planes]]
        flat = tf.reshape(
            tf.concat(pair, -1), [-1, rows, columns, 2 * channels]
        )
        weights = tf.concat([kernel[tap] for tap in taps], -1)
        made = tf.nn.conv2d_transpose(
            flat, weights, [count * planes, *sides], 2, "SAME"
        )
        return tf.reshape(made, [count, planes, *sides])

    both = tf.stack([half(0, (1, 3)), half(2, (2, 0))], axis=2)
    return tf.reshape(both, [count, 2 * planes, *sides])


if __name__ == "__main__":
    main()
