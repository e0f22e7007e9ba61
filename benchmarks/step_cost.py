"""What each option adds to a training step.

Steps of all variants take turns, so that whatever else the machine does falls
on all of them alike; processor time is compared where there is no GPU, since
waiting for a core is not the step's doing.

    python benchmarks/step_cost.py --preset demo --size 128 --rounds 20
"""

import argparse
import statistics
import time

from pet_dcgan.cli.console import start_tensorflow

FOUR = "translate,cutout,rotate,scale"
VARIANTS = {
    "none": {},
    "ema": {"ema_decay": 0.99},
    "translate": {"augment": "translate", "augment_probability": 0.5},
    "cutout": {"augment": "cutout", "augment_probability": 0.5},
    "all four": {"augment": FOUR, "augment_probability": 0.5},
    "bends": {"bend_mm": 2.5},
    "adaptive": {"augment": FOUR, "augment_target": 0.6},
    "bfloat16": {"precision": "mixed_bfloat16"},
    "float16": {"precision": "mixed_float16"},
    "xla": {"xla": True},
}


def make_step(preset, size, settings):
    """A compiled step of a variant, on images that are noise."""
    import tensorflow as tf

    from pet_dcgan.config import make_config
    from pet_dcgan.models.configured_dcgan import build_dcgan
    from pet_dcgan.presets import PLAIN

    config = make_config(
        preset,
        overrides=PLAIN | settings,
        stage="AD",
        plane="axial",
        dataset=f"axial_{size}",
        data_dir="none",
        phantom=True,
        size=size,
        spacing_mm=1.5,
        suvr_max=2.5,
        reference="brain",
        seed=0,
    )
    model = build_dcgan(config)
    shape = [config.batch_size, size, size, config.channels]
    images = tf.random.stateless_uniform(shape, [0, 0], -1.0, 1.0)
    step = tf.function(model.train_step, jit_compile=config.xla)

    def run():
        return float(step(images)["g_loss"])

    return run


def measure(steps, rounds, clock):
    """Seconds of each step, by variant, the variants taking turns."""
    for step in steps.values():
        for _ in range(3):  # traced
            step()
    seconds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = clock()
            step()
            seconds[name].append(clock() - start)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    options = parser.parse_args()
    start_tensorflow()
    import tensorflow as tf

    gpu = bool(tf.config.list_physical_devices("GPU"))
    clock = time.perf_counter if gpu else time.process_time
    steps = {
        name: make_step(options.preset, options.size, VARIANTS[name])
        for name in options.variants
    }
    found = measure(steps, options.rounds, clock)
    first = statistics.mean(found[options.variants[0]])
    print(f"{options.preset}, {options.size}x{options.size}, {clock.__name__}")
    for name, seconds in found.items():
        mean = statistics.mean(seconds)
        print(f"{name:<14} {1e3 * mean:8.1f} ms {mean / first:6.2f}")


if __name__ == "__main__":
    main()
