"""What conditions cost a server: images with them beside images without.

Two archives of one shape, one of a conditional generator, answer
`generate_png` in turns, so that whatever else the machine does falls on both
alike; what is compared are medians of one run.

    python benchmarks/serving_conditional.py --out serving_conditional.json
    python benchmarks/serving_conditional.py --conditions stage,position

Weights are random; the images of random weights are noise, which makes larger
PNGs than brains do.
"""

import argparse
import tempfile
from pathlib import Path

import reporting
from serving import in_turns, make_generator, row

from pet_dcgan.cli.console import start_tensorflow

BATCHES = (1, 16)
SIZES = (64, 128)
MOST_RATIO = 1.1


def conditional(generator, facts, preset, names):
    """The same network with some conditions, and its facts."""
    import dataclasses

    from pet_dcgan.conditions import Conditions
    from pet_dcgan.models.networks import build_generator
    from pet_dcgan.presets import PRESETS

    conditions = Conditions(
        names=names,
        bands_mm={
            "axial": (-20.0, 50.0),
            "coronal": (-60.0, 30.0),
            "sagittal": (-50.0, 50.0),
        },
        ages=(55.0, 90.0) if "age" in names else None,
    )
    kept = ("channels", "latent_dim", "width", "kernel_size")
    shape = {name: PRESETS[preset][name] for name in kept}
    network = build_generator(size=facts.size, conditions=conditions, **shape)
    weights = {each.path: each for each in network.weights}
    for weight in generator.weights:
        weights[weight.path].assign(weight)
    return network, dataclasses.replace(
        facts, stage="ALL", plane="ALL", conditions=conditions.to_dict()
    )


def asked(facts, batch):
    """A request's inputs, every row another one."""
    import itertools

    import tensorflow as tf

    from pet_dcgan.models.condition_rows import as_columns, example_rows

    inputs = {"seed": tf.range(batch, dtype=tf.int64)}
    if facts.takes is not None:
        rows = itertools.cycle(example_rows(facts.takes))
        rows = list(itertools.islice(rows, batch))
        columns = as_columns(facts.takes, rows)
        inputs |= {name: tf.constant(each) for name, each in columns.items()}
    return inputs


def measure(preset, size, rounds, scratch, names):
    """Milliseconds of a request, with and without, by batch."""
    import tensorflow as tf

    from pet_dcgan.models.saved_model import save_model

    generator, facts = make_generator(preset, size)
    models = {
        "unconditional": (generator, facts),
        "conditional": conditional(generator, facts, preset, names),
    }
    loaded = {}
    for name, (network, about) in models.items():
        save_model(network, scratch / name, about)
        loaded[name] = tf.saved_model.load(str(scratch / name))
    found = []
    for batch in BATCHES:
        inputs = {n: asked(about, batch) for n, (_, about) in models.items()}

        def call(name, inputs=inputs):
            draw = loaded[name].signatures["generate_png"]
            return draw(**inputs[name])["image_bytes"].numpy()

        calls = {name: lambda name=name: call(name) for name in models}
        times = in_turns(calls, rounds)
        found.append(
            {
                "size": size,
                "batch": batch,
                **times,
                **{
                    f"ratio_{unit}": times["conditional"][unit]
                    / times["unconditional"][unit]
                    for unit in ("ms", "cpu_ms")
                },
            }
        )
    return found


def rows(found):
    """What was asked for and what was found, a row each."""
    for each in found:
        times = [each[n]["ms"] for n in ("conditional", "unconditional")]
        rates = [1e3 * each["batch"] / ms for ms in times]
        yield row(
            f"{each['size']} px, batch {each['batch']}",
            f"{each['ratio_ms']:.3f} ({each['ratio_cpu_ms']:.3f} processor)",
            f"<= {MOST_RATIO}",
            f"{times[0]:.2f} / {times[1]:.2f} ms, {rates[0]:.0f} / "
            f"{rates[1]:.0f} images a second",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="conditional")
    parser.add_argument("--conditions", default="stage,plane,position")
    parser.add_argument("--rounds", type=int, default=60)
    reporting.add_out(parser)
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    before, found = reporting.machine(), []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            found += measure(
                options.preset,
                size,
                options.rounds,
                Path(scratch),
                tuple(options.conditions.split(",")),
            )
    print(f"generate_png with {options.conditions} over without")
    reporting.print_table(list(rows(found)))
    reporting.write(
        {"machine": before, "preset": options.preset, "found": found},
        options.out,
    )


if __name__ == "__main__":
    main()
