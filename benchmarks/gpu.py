"""How fast a training step is on a GPU, by precision and compiler.

Contenders take turns, each in a process of its own on the first GPU, at each
batch:

- `float32`, `tf32`, `bfloat16`, `float16`: `DCGAN.train_step` with products
  of 24, 11, 8 and 11 bits (the last two as `precision` of a configuration,
  the second as NVIDIA's cards from 2020 on can), and each `+ xla`;
- `torch` and `torch compiled`: the same layers in PyTorch, in tf32 and under
  autocast to bfloat16, channels last; eager, or with torch.compile of both
  networks. tf.function and XLA take the whole step with losses and Adam, which
  here stay eager.

A turn is many steps without waiting, of which the last loss is read. Ratios
are medians of ratios within a round, over `tf32`, TensorFlow's default.

    python benchmarks/gpu.py [--preset paper] [--batches 64 256]
    python benchmarks/input_wait.py DATA_DIR --preset paper --config axial_128

The second says what part of a step is spent waiting for images. Without a GPU
this ends with exit code 1 and one line; `--cpu` tries the script itself there.
"""

import argparse
import os
import statistics
import sys

import reporting
import taking_turns
from train_step import SIZE, made_model

PRECISIONS = {
    "float32": "float32",
    "tf32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}
CONTENDERS = (
    *(name + xla for name in PRECISIONS for xla in ("", " + xla")),
    "torch tf32",
    "torch bfloat16",
    "torch compiled tf32",
    "torch compiled bfloat16",
)
DEFAULT = "tf32"
STEPS = 20  # a turn


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--batches", type=int, nargs="+", default=(64, 256))
    parser.add_argument("--contenders", nargs="+", default=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=20, help="at least")
    parser.add_argument("--seconds", type=float, default=20, help="a batch")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    reporting.add_out(parser)
    options = parser.parse_args()
    if options.serve:
        served(*options.serve)
        return
    machine = reporting.machine() | gpu(options.cpu)
    rows = [r for batch in options.batches for r in measured(batch, options)]
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


def gpu(is_absent):
    """The name of the first GPU, and what its libraries are."""
    if is_absent:
        return {}
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        raise SystemExit(
            "expected a GPU that TensorFlow can use, found none: nothing was "
            "measured (--cpu tries the script alone)"
        )
    details = tf.config.experimental.get_device_details(found[0])
    build = tf.sysconfig.get_build_info()
    return {
        "gpu": details["device_name"],
        "cuda": build["cuda_version"],
        "cudnn": build["cudnn_version"],
    }


def measured(batch, options):
    """Rows of one batch; a contender that fails has none, and says so."""
    device = "cpu" if options.cpu else "cuda"
    turns = taking_turns.compared(
        {
            name: [__file__, "--serve", name, options.preset, batch, device]
            for name in options.contenders
        },
        least=options.rounds,
        seconds=options.seconds,
        # each would take all of the memory
        environment=os.environ | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    )
    first = DEFAULT if DEFAULT in turns else next(iter(turns))
    return [row(name, batch, turns[name], turns[first]) for name in turns]


def row(name, batch, found, first):
    """A contender's line of the table."""
    ratios = [
        ours["steps"] / theirs["steps"]
        for ours, theirs in zip(first, found, strict=True)
    ]
    seconds = statistics.median(turn["steps"] for turn in found) / STEPS
    return {
        "batch": batch,
        "contender": name,
        "ms a step": 1e3 * seconds,
        "images/s": batch / seconds,
        "over the default": statistics.median(ratios),
        "rounds": len(found),
    }


def served(name, preset, batch, device):
    """What a worker does: a step for each turn."""
    make = torch_step if name.startswith("torch") else tensorflow_step

    def made():
        step, parameters = make(name, preset, int(batch), device)

        def steps():
            for _ in range(STEPS):
                loss = step()
            return float(loss)

        return {"steps": steps}, {"parameters": parameters}

    taking_turns.serve(made, warm_up=2)


def tensorflow_step(name, preset, batch, device):
    """`DCGAN.train_step` in one precision, with or without XLA."""
    from pet_dcgan.cli.console import start_tensorflow

    start_tensorflow()
    import tensorflow as tf

    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    precision, _, xla = name.partition(" + ")
    tf.config.experimental.enable_tensor_float_32_execution(
        precision != "float32"
    )
    model = made_model(
        preset, batch, precision=PRECISIONS[precision], xla=bool(xla)
    )
    images = tf.random.stateless_uniform(
        [batch, SIZE, SIZE, model.generator.output_shape[-1]],
        [0, 0],
        -1.0,
        1.0,
    )
    step = tf.function(model.train_step, jit_compile=bool(xla))
    parameters = sum(int(tf.size(w)) for w in model.trainable_weights)
    return lambda: step(images)["g_loss"], parameters


def torch_step(name, preset, batch, device):
    """The same in PyTorch, eager or compiled."""
    import torch
    from torch_dcgan import make_networks, make_step

    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    networks = make_networks(preset, SIZE)
    parameters = sum(w.numel() for n in networks for w in n.parameters())
    step = make_step(
        *networks,
        batch=batch,
        channels_last=True,
        device=device,
        precision=torch.bfloat16 if "bfloat16" in name else torch.float32,
        compiled="compiled" in name,
    )
    return step, parameters


if __name__ == "__main__":
    sys.exit(main())
