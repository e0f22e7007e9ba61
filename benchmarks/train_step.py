"""How fast a training step is, beside the machine and beside others.

Contenders take turns, each in a process of its own that sleeps meanwhile, so
that whatever else the machine does falls on all of them alike:

- `pet-dcgan`: `DCGAN.train_step`, as `pet-dcgan train` runs it;
- `keras`: the same plain Keras layers in the train step that Keras's own DCGAN
  example overrides (GradientTape, generated images made anew for the
  generator's update, keras.optimizers.Adam), compiled by tf.function;
- `torch` and `torch, channels last`: the same layers in PyTorch, its fused
  Adam, no gradient taken that is not needed.

Share is of the rate of a 3000x3000 float32 matrix product, measured beside
each step in each process (the fastest of a round counts), with the operations
of `benchmarks/operations.py`; beside it the share of those that have to be
done, which leaves out every place of a kernel on padding. Ratios are medians
of ratios within a round. MB is the peak of the contender's process, with its
library and the product.

    python benchmarks/train_step.py [--cases paper:64 paper:16 demo:16]

About five minutes on two cores; PyTorch comes with pip install
pet-dcgan[benchmarks], and is left out where it is not installed.
"""

import argparse
import statistics
import sys

import operations
import reporting
import taking_turns

CONTENDERS = ("pet-dcgan", "keras", "torch", "torch, channels last")
CASES = ("paper:64", "paper:16", "demo:16")
SIZE, SIDE = 128, 3000


def main():
    compare(
        __doc__,
        __file__,
        contenders=CONTENDERS,
        cases=CASES,
        rounds=5,
        seconds=40,
        serve=served,
        summarise=summaries,
    )


def compare(
    doc, script, *, contenders, cases, rounds, seconds, serve, summarise
):
    """A script's command line: a table of contenders in each case.

    Args:
        doc: Its docstring.
        script: Its file, which also serves a contender in a process.
        contenders: Names.
        cases: As `preset:batch`.
        rounds: Rounds, at least.
        seconds: Seconds for each case.
        serve: What a process does, of contender, preset and batch.
        summarise: Rows of a case, of its name, preset, batch and turns.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=cases)
    parser.add_argument("--contenders", nargs="+", default=contenders)
    parser.add_argument("--rounds", type=int, default=rounds, help="at least")
    parser.add_argument("--seconds", type=float, default=seconds, help="a case")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    reporting.add_out(parser)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    machine, rows = reporting.machine(), []
    threads = ["--threads", options.threads] if options.threads else []
    for case in options.cases:
        preset, batch = case.split(":")
        commands = {
            name: [script, *threads, "--serve", name, preset, batch]
            for name in options.contenders
        }
        turns = taking_turns.compared(
            commands, least=options.rounds, seconds=options.seconds
        )
        rows += summarise(case, preset, int(batch), turns)
    reporting.print_table(rows)
    reporting.write({"machine": machine, "rows": rows}, options.out)


def summaries(case, preset, batch, turns):
    """A row for each contender: medians, and ratios of one round."""
    gflop = operations.step_gflop(operations.of_preset(preset, SIZE))
    first = next(iter(turns))
    rounds = list(zip(*turns.values(), strict=True))
    # of the libraries' products, the fastest is what the machine can do
    work = 2 * SIDE**3
    rates = [work / min(turn["product"] for turn in r) for r in rounds]
    for name, found in turns.items():
        steps = [turn["step"] for turn in found]
        speeds = [
            1e9 * batch / seconds / rate
            for seconds, rate in zip(steps, rates, strict=True)
        ]
        whole, inside = (g * statistics.median(speeds) for g in gflop)
        ratios = [
            step / ours["step"]
            for step, ours in zip(steps, turns[first], strict=True)
        ]
        seconds = statistics.median(steps)
        yield {
            "case": case,
            "contender": name,
            "ms a step": 1e3 * seconds,
            "images/s": batch / seconds,
            f"{first} faster by": statistics.median(ratios),
            "product GFLOP/s": statistics.median(rates) / 1e9,
            "share": f"{whole:.0%}",
            "without padding": f"{inside:.0%}",
            "MB": max(turn[taking_turns.MEMORY] for turn in found),
            "rounds": len(found),
        }


def served(name, preset, batch):
    """What a worker does: a step and a product for each turn."""
    make = torch_step if name.startswith("torch") else tensorflow_step

    def made():
        step, product, parameters = make(name, preset, int(batch))
        return {"step": step, "product": product}, {"parameters": parameters}

    taking_turns.serve(made, warm_up=2)


def threads():
    """What `--threads` says, or nothing."""
    arguments = sys.argv
    if "--threads" in arguments:
        return int(arguments[arguments.index("--threads") + 1])
    return 0


def tensorflow_step(name, preset, batch):
    """A step, a product and the number of weights, by TensorFlow."""
    from pet_dcgan.cli.console import start_tensorflow

    start_tensorflow()
    import tensorflow as tf

    if threads():
        tf.config.threading.set_intra_op_parallelism_threads(threads())
    model = made_model(preset, batch)
    shape = [batch, *model.generator.output_shape[1:]]
    images = tf.random.stateless_uniform(shape, [0, 0], -1.0, 1.0)
    plain = name == "keras"
    step = plain_step(model) if plain else model.train_step
    step = tf.function(step, jit_compile=False)
    matrix = tf.random.stateless_normal([SIDE, SIDE], [0, 0])
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    parameters = sum(int(tf.size(w)) for w in model.trainable_weights)
    return (
        lambda: float(step(images)["g_loss"]),
        lambda: float(product()),
        parameters,
    )


def made_model(preset, batch, **overrides):
    """The preset's networks, with all that is not in PyTorch left out."""
    from pet_dcgan.config import make_config
    from pet_dcgan.models.configured_dcgan import build_dcgan
    from pet_dcgan.presets import PLAIN

    config = make_config(
        preset,
        overrides=PLAIN | {"batch_size": batch} | overrides,
        stage="AD",
        plane="axial",
        dataset=f"axial_{SIZE}",
        data_dir="none",
        phantom=True,
        size=SIZE,
        spacing_mm=1.5,
        suvr_max=2.5,
        reference="brain",
        seed=0,
    )
    return build_dcgan(config)


def plain_step(model):
    """The step of Keras's DCGAN example, with the losses of `pet-dcgan`."""
    import keras
    import tensorflow as tf

    generator, judge = model.generator, model.discriminator
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    adams = [keras.optimizers.Adam(1e-4, beta_1=0.5) for _ in range(2)]
    for adam, network in zip(adams, (generator, judge), strict=True):
        adam.build(network.trainable_weights)

    def step(real):
        ones, zeros = tf.ones([len(real), 1]), tf.zeros([len(real), 1])
        latents = tf.random.uniform([len(real), model.latent_dim], -1.0, 1.0)
        fake = generator(latents, training=True)
        with tf.GradientTape() as tape:
            d_loss = loss_of(ones, judge(real, training=True))
            d_loss += loss_of(zeros, judge(fake, training=True))
        gradients = tape.gradient(d_loss, judge.trainable_weights)
        adams[1].apply(gradients, judge.trainable_weights)
        with tf.GradientTape() as tape:
            fake = generator(latents, training=True)
            g_loss = loss_of(ones, judge(fake, training=True))
        gradients = tape.gradient(g_loss, generator.trainable_weights)
        adams[0].apply(gradients, generator.trainable_weights)
        return {"d_loss": d_loss, "g_loss": g_loss}

    return step


def torch_step(name, preset, batch):
    """A step, a product and the number of weights, by PyTorch."""
    import torch
    from torch_dcgan import make_networks, make_step

    if threads():
        torch.set_num_threads(threads())
    generator, judge = make_networks(preset, SIZE)
    step = make_step(
        generator, judge, batch=batch, channels_last=name != "torch"
    )
    matrix = torch.randn(SIDE, SIDE)
    parameters = sum(
        weight.numel()
        for network in (generator, judge)
        for weight in network.parameters()
    )
    return (
        lambda: float(step()),
        lambda: float((matrix @ matrix).sum()),
        parameters,
    )


if __name__ == "__main__":
    main()
