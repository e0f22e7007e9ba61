"""The operations a training step must do, written out layer by layer.

Of a convolution there are three: forward, the gradient by its input and the
gradient by its kernel, each of as many multiplications and additions. What a
step has to do with each layer of the discriminator:

- on real images: forward, by kernel, by input;
- on generated ones, before its update: the same;
- on the same ones, after its update, for the generator: forward, by input.

Nobody asks its first layer for the gradient by the input but the generator.
Each layer of the generator: forward, by kernel, by input; its first one has
no gradient by the latent. Normalisation, activations, losses and Adam are a
hundredth of that together, and are not counted.

Usually every place of a kernel is counted, those that lie on the padding too;
a step need not multiply these zeros, so both sums are given.

    python benchmarks/operations.py --preset paper
"""

import argparse
import itertools

import reporting


def layers(size, channels, latent_dim, width, kernel_size):
    """Rows of network, layer and 1e6 operations an image of one way."""
    depth = (size // 4).bit_length() - 1
    widths = [channels, *(width * 2**level for level in range(depth))]
    convolutions = []
    for level, (few, many) in enumerate(itertools.pairwise(widths)):
        side = size // 2 ** (level + 1)
        pairs = 2 * few * many / 1e6
        convolutions.append(
            {
                "side": side,
                "kernel": f"{kernel_size}x{kernel_size}x{few}x{many}",
                "all places": pairs * (side * kernel_size) ** 2,
                "inside": pairs * _inside(side, kernel_size) ** 2,
            }
        )
    dense = 2 * 16 * widths[-1] / 1e6
    project = {"side": 4, "kernel": f"{latent_dim}x{16 * widths[-1]}"}
    logit = {"side": 1, "kernel": f"{16 * widths[-1]}x1"}
    generator = [
        project | dict.fromkeys(_COUNTS, dense * latent_dim),
        *convolutions[::-1],
    ]
    judge = [*convolutions, logit | dict.fromkeys(_COUNTS, dense)]
    return [
        *(
            _row("discriminator", layer, index)
            for index, layer in enumerate(judge)
        ),
        *(
            _row("generator", layer, index)
            for index, layer in enumerate(generator)
        ),
    ]


_COUNTS = ("all places", "inside")


def _inside(side, kernel_size):
    """Places of a line of kernels that lie on the line of `2 side` pixels."""
    before = (kernel_size - 2) // 2
    return sum(
        0 <= 2 * place + tap - before < 2 * side
        for place in range(side)
        for tap in range(kernel_size)
    )


def _row(network, layer, index):
    judge = network == "discriminator"
    ways = {
        "forward": 3 if judge else 1,
        "by input": (1 if index == 0 else 3) if judge else int(index > 0),
        "by kernel": 2 if judge else 1,
    }
    times = sum(ways.values())
    return (
        {"network": network, "side": layer["side"], "kernel": layer["kernel"]}
        | ways
        | {f"MFLOP, {name}": times * layer[name] for name in _COUNTS}
    )


def step_gflop(rows):
    """GFLOP an image of a step: with every place, and without the padding."""
    return [
        sum(row[f"MFLOP, {name}"] for row in rows) / 1e3 for name in _COUNTS
    ]


def of_preset(name, size=128):
    """`layers` of a preset's networks."""
    from pet_dcgan.presets import PRESETS

    names = ("channels", "latent_dim", "width", "kernel_size")
    return layers(size, **{key: PRESETS[name][key] for key in names})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    rows = of_preset(options.preset, options.size)
    reporting.print_table(rows)
    whole, inside = step_gflop(rows)
    print(f"{whole:.2f} GFLOP an image, {inside:.2f} without the padding")


if __name__ == "__main__":
    main()
