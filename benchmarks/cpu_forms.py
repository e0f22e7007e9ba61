"""What each faster form of a training step on a CPU earns, one at a time.

Contenders take turns (see `taking_turns.py`), each in a process of its own:

- `all forms`: `DCGAN.train_step` as it is;
- `without ...`: the same, with one form left to Keras's own operations;
- `no form`: the same step on plain Keras layers;
- `keras, once`: a plain Keras step that, as ours, runs the generator once a
  step and differentiates only what is needed;
- `keras, twice`: Keras's DCGAN example, which makes its images again for the
  generator's update.

The ratio is the time of a step over that of `all forms`, the median of ratios
within a round. A form that earns less than 5 % of a step goes; docs/measured.md
says which went.

    python benchmarks/cpu_forms.py [--cases paper:16 paper:64 demo:16]
"""

import statistics

import taking_turns
from train_step import compare, made_model, plain_step, threads

FORMS = ("4x4", "8x8 kernels")
CONTENDERS = (
    "all forms",
    *(f"without {form}" for form in FORMS),
    "no form",
    "keras, once",
    "keras, twice",
)
CASES = ("paper:16", "paper:64", "demo:16")
NEVER = 2**62


def main():
    compare(
        __doc__,
        __file__,
        contenders=CONTENDERS,
        cases=CASES,
        rounds=7,
        seconds=60,
        serve=served,
        summarise=summaries,
    )


def summaries(case, preset, batch, turns):
    """A row for each contender: medians, and ratios within a round."""
    first = next(iter(turns.values()))
    for name, found in turns.items():
        steps = [turn["step"] for turn in found]
        ratios = [
            step / ours["step"] for step, ours in zip(steps, first, strict=True)
        ]
        yield {
            "case": case,
            "contender": name,
            "ms a step": round(1e3 * statistics.median(steps), 1),
            "over all forms": round(statistics.median(ratios), 3),
            "lowest": round(min(ratios), 3),
            "highest": round(max(ratios), 3),
            "rounds": len(found),
        }


def served(name, preset, batch):
    """A worker: one step per turn."""

    def made():
        step, parameters = made_step(name, preset, int(batch))
        return {"step": step}, {"parameters": parameters}

    taking_turns.serve(made, warm_up=2)


def made_step(name, preset, batch):
    """A compiled step of one contender, and the number of its weights."""
    from pet_dcgan.cli.console import start_tensorflow

    start_tensorflow()
    import tensorflow as tf

    if threads():
        tf.config.threading.set_intra_op_parallelism_threads(threads())
    leave_out(name)
    model = made_model(preset, batch)
    shape = [batch, *model.generator.output_shape[1:]]
    images = tf.random.stateless_uniform(shape, [0, 0], -1.0, 1.0)
    step = model.train_step
    if name.startswith("keras"):
        step = once(model) if name.endswith("once") else plain_step(model)
    step = tf.function(step, jit_compile=False)
    parameters = sum(int(tf.size(w)) for w in model.trainable_weights)
    return (lambda: float(step(images)["g_loss"])), parameters


def leave_out(name):
    """Turns off what a contender does without."""
    from pet_dcgan.models import cpu_layers

    if name in ("no form", "without 4x4"):
        cpu_layers._HEAVY = NEVER
    if name in ("no form", "without 8x8 kernels"):
        cpu_layers._HEAVY_GRADIENT = NEVER


def once(model):
    """Keras's DCGAN example, its images made once a step."""
    import keras
    import tensorflow as tf

    generator, discriminator = model.generator, model.discriminator
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    adams = [keras.optimizers.Adam(1e-4, beta_1=0.5) for _ in range(2)]
    for adam, network in zip(adams, (generator, discriminator), strict=True):
        adam.build(network.trainable_weights)

    def step(real):
        ones, zeros = tf.ones([len(real), 1]), tf.zeros([len(real), 1])
        latents = tf.random.uniform([len(real), model.latent_dim], -1.0, 1.0)
        with tf.GradientTape() as generator_tape:
            fake = generator(latents, training=True)
        with tf.GradientTape() as tape:
            d_loss = loss_of(ones, discriminator(real, training=True))
            d_loss += loss_of(zeros, discriminator(fake, training=True))
        weights = discriminator.trainable_weights
        adams[1].apply(tape.gradient(d_loss, weights), weights)
        with generator_tape:
            g_loss = loss_of(ones, discriminator(fake, training=True))
        weights = generator.trainable_weights
        adams[0].apply(generator_tape.gradient(g_loss, weights), weights)
        return {"d_loss": d_loss, "g_loss": g_loss}

    return step


if __name__ == "__main__":
    main()
