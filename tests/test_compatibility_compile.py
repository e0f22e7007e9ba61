"""Options of `compile`, precision, strategies; rows of the table."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from compatibility import Rows, own_networks
from toy_model import make_model

import pet_dcgan as pd
from pet_dcgan.models import losses

TESTS = Path(__file__).parent

ROWS = Rows("Compile, precision, devices")
works, refused = ROWS.works, ROWS.refused
optimizers = keras.optimizers

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [5, 32, 32, 1]).astype(np.float32)


def step(model=None, **options):
    """A model after one eager step, compiled with these options."""
    model = model or make_model()
    model.compile(run_eagerly=True, **options)
    before = model.generator.trainable_variables[0].numpy()
    logs = model.train_on_batch(REAL[:2], return_dict=True)
    assert np.isfinite([logs["d_loss"], logs["g_loss"]]).all()
    after = model.generator.trainable_variables[0].numpy()
    # in float16 the first steps find how far a loss can be scaled
    if not isinstance(model.g_optimizer, optimizers.LossScaleOptimizer):
        assert not np.array_equal(before, after)
    return model


class Relaxed(pd.AdversarialLoss):
    """As in a notebook."""

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(fake_logits)


# --- optimisers ---------------------------------------------------------------


@works("no option: the paper's Adam and loss")
def _(folder):
    model = step()
    assert model.g_optimizer.beta_1 == model.d_optimizer.beta_1 == 0.5


@works("optimisers as objects")
def _(folder):
    sgd = optimizers.SGD(1e-2)
    model = step(g_optimizer=sgd, d_optimizer=optimizers.RMSprop())
    assert model.g_optimizer is sgd


@works("optimisers by name")
def _(folder):
    model = step(g_optimizer="adam", d_optimizer="sgd")
    assert isinstance(model.d_optimizer, optimizers.SGD)


@works("optimisers as configurations")
def _(folder):
    config = optimizers.serialize(optimizers.Adam(3e-4))
    model = step(g_optimizer=config, d_optimizer=config)
    assert float(model.d_optimizer.learning_rate) == pytest.approx(3e-4)


@refused("one optimiser object for both", "make a second one")
def _(folder):
    adam = optimizers.Adam()
    step(g_optimizer=adam, d_optimizer=adam)


@refused("an optimiser that another network uses", "make a second one")
def _(folder):
    step(g_optimizer=make_model().g_optimizer)


@refused("an optimiser by a name that Keras lacks", "keras.optimizers.Adam")
def _(folder):
    step(g_optimizer="adamm")


@refused("an optimiser's class", "keras.optimizers.Adam")
def _(folder):
    step(g_optimizer=optimizers.Adam)


@refused("`optimizer=`", "give g_optimizer= and d_optimizer=")
def _(folder):
    step(optimizer="adam")


@works("a schedule as learning rate")
def _(folder):
    rate = optimizers.schedules.ExponentialDecay(1e-2, 1, 0.5)
    model = step(g_optimizer=optimizers.Adam(rate))
    assert float(model.g_optimizer.learning_rate) == pytest.approx(5e-3)


@works("`clipnorm`, `clipvalue`, `global_clipnorm`")
def _(folder):
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        sgd = optimizers.SGD(1.0, **{name: 1e-3})
        model = make_model()
        before = model.generator.trainable_variables[0].numpy()
        step(model=model, g_optimizer=sgd)
        after = model.generator.trainable_variables[0].numpy()
        assert 0 < np.linalg.norm(after - before) < 1.1e-3 * before.size


@works("`weight_decay`, `AdamW`")
def _(folder):
    made = optimizers.Adam, optimizers.AdamW
    for optimizer, decay in zip(made, (0.1, 10.0), strict=True):
        kernels = []
        for weight_decay in (0.0, decay):
            adam = optimizer(1e-3, weight_decay=weight_decay)
            model = step(g_optimizer=adam)
            kernels.append(model.generator.trainable_variables[0].numpy())
        # by rate times decay, of what it was before the step
        start = make_model().generator.trainable_variables[0].numpy()
        shrunk = kernels[0] - 1e-3 * decay * start
        np.testing.assert_allclose(kernels[1], shrunk, atol=1e-6)


@works("`use_ema` of an optimiser")
def _(folder):
    model = make_model()
    model.compile(
        optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5), run_eagerly=True
    )
    kernel, seen = model.generator.trainable_variables[0], []
    see = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: seen.append(kernel.numpy())
    )
    model.fit(REAL[:4], batch_size=2, verbose=0, callbacks=[see])
    # Keras's average begins with the weights after the first step
    average = 0.5 * seen[0] + 0.5 * seen[1]
    np.testing.assert_allclose(kernel, average, atol=1e-6)


@works("`gradient_accumulation_steps`")
def _(folder):
    model = make_model()
    model.compile(
        optimizers.Adam(gradient_accumulation_steps=2), run_eagerly=True
    )
    kernel = model.generator.trainable_variables[0]
    start = kernel.numpy()
    model.train_on_batch(REAL[:2])
    np.testing.assert_array_equal(kernel, start)
    model.train_on_batch(REAL[:2])
    assert not np.array_equal(kernel, start)


# --- losses and metrics -------------------------------------------------------


@works("`loss` left out: the non-saturating one")
def _(folder):
    assert isinstance(step().loss_of, losses.NonSaturating)


@works("`loss` of your own class")
def _(folder):
    step(loss=Relaxed())


@works("`loss` of an object that only has the two methods")
def _(folder):
    class Plain:
        discriminator_loss = Relaxed.discriminator_loss
        generator_loss = Relaxed.generator_loss

    step(loss=Plain())


@refused("`loss` as a class", "expected a loss, an object with")
def _(folder):
    step(loss=Relaxed)


@refused('`loss="binary_crossentropy"`', "expected a loss, an object with")
def _(folder):
    step(loss="binary_crossentropy")


@refused("`loss_weights`", "change learning rates")
def _(folder):
    step(loss_weights=[1, 2])


@works("`metrics` left out: KID")
def _(folder):
    model = step()
    assert "kid" in model.test_on_batch(REAL, return_dict=True)


@works("`metrics=[]`")
def _(folder):
    model = step(metrics=[])
    assert "kid" not in model.test_on_batch(REAL, return_dict=True)


@works("`metrics` of your own, or of Keras, as objects")
def _(folder):
    metrics = [pd.KID(32, name="mine"), keras.metrics.MeanSquaredError("mse")]
    logs = step(metrics=metrics).test_on_batch(REAL, return_dict=True)
    assert {"mine", "mse"} < set(logs)


@works("one metric without a list")
def _(folder):
    metric = pd.KID(32, name="mine")
    assert step(metrics=metric).measured.members == [metric]


@refused("`metrics` by name", "pet_dcgan.KID")
def _(folder):
    step(metrics=["accuracy"])


@refused("two metrics of one name", "name=")
def _(folder):
    step(metrics=[pd.KID(32), pd.KID(32, seed=1)])


@refused("`weighted_metrics`", "images have no weights")
def _(folder):
    step(weighted_metrics=["mse"])


@refused("an option that Keras lacks", "help", error=TypeError)
def _(folder):
    step(learning_rate=1e-3)


# --- how steps run ------------------------------------------------------------


@works("`run_eagerly=True`")
def _(folder):
    assert step().run_eagerly


@works("`steps_per_execution`")
def _(folder):
    model = pd.DCGAN(*own_networks())
    model.compile(steps_per_execution=2)
    logs = model.fit(
        REAL, batch_size=1, validation_data=REAL, epochs=2, verbose=0
    )
    assert int(model.step) == 10
    assert np.isfinite(logs.history["val_kid"]).all()


@works('`jit_compile` `False` or `"auto"`')
def _(folder):
    for value in (False, "auto"):
        model = make_model()
        model.compile(jit_compile=value, run_eagerly=True)
        assert model.compile_options["jit_compile"] == value
        # "auto" is False without a GPU
        assert model.jit_compile in (False, value)


@works("`jit_compile=True`")
def _(folder):
    model = pd.DCGAN(*own_networks())
    model.compile(jit_compile=True)
    assert model.jit_compile
    logs = model.train_on_batch(REAL[:2], return_dict=True)
    assert np.isfinite(logs["g_loss"])


@works("`auto_scale_loss`, and a `LossScaleOptimizer` of your own")
def _(folder):
    for option in (True, False):
        model = half("mixed_float16")
        step(model=model, auto_scale_loss=option)
        found = isinstance(model.g_optimizer, optimizers.LossScaleOptimizer)
        assert found is option
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam())
    assert step(g_optimizer=scaled).g_optimizer is scaled


@works("`compile` again, between two trainings")
def _(folder):
    model = make_model()
    for rate in (1e-3, 1e-4):
        step(model=model, g_optimizer=optimizers.Adam(rate), loss=Relaxed())
    assert int(model.step) == 2
    assert int(model.g_optimizer.iterations) == 1


@refused("`fit` without `compile`", "compile", by_keras=True)
def _(folder):
    networks = make_model()
    pd.DCGAN(networks.generator, networks.discriminator).fit(REAL, verbose=0)


# --- precision and devices ----------------------------------------------------


def half(precision):
    shape = {"size": 32, "channels": 1, "width": 2, "precision": precision}
    return pd.DCGAN(
        pd.build_generator(latent_dim=4, **shape),
        pd.build_discriminator(**shape),
    )


@works("`precision=` of the networks: `mixed_float16`, `mixed_bfloat16`")
def _(folder):
    for precision in ("mixed_float16", "mixed_bfloat16"):
        model = step(model=half(precision))
        assert model.generator.layers[1].compute_dtype != "float32"
        logs = model.evaluate(REAL, return_dict=True, verbose=0)
        assert np.isfinite(logs["kid"])


@works("a global policy, with networks of your own")
def _(folder):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = step(model=pd.DCGAN(*own_networks()))
        logs = model.evaluate(REAL, return_dict=True, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.g_optimizer, optimizers.LossScaleOptimizer)
    assert np.isfinite(logs["kid"])


@works("a global policy, with networks of this package")
def _(folder):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = step()
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.generator.layers[1].compute_dtype == "float32"


@works("`keras.Sequential` networks")
def _(folder):
    generator = keras.Sequential(
        [
            keras.Input([6]),
            keras.layers.Dense(32 * 32, "tanh"),
            keras.layers.Reshape([32, 32, 1]),
        ]
    )
    critic = keras.Sequential(
        [
            keras.Input([32, 32, 1]),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    step(model=pd.DCGAN(generator, critic, ema_decay=0.9))


@refused("`keras.Sequential` without an `Input`", "begin it with a keras.Input")
def _(folder):
    generator = keras.Sequential([keras.layers.Dense(4)])
    pd.DCGAN(generator, own_networks()[1])


class Wrapped(keras.Model):
    """A network whose layers are in its `call`."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, inputs):
        return self.network(inputs)


@refused("a network as a subclass of `keras.Model`", r"keras.Model\(inputs,")
def _(folder):
    generator, discriminator = own_networks()
    pd.DCGAN(generator, Wrapped(discriminator))


@works("such a subclass inside `keras.Model(inputs, network(inputs))`")
def _(folder):
    generator, discriminator = own_networks()
    image = keras.Input([32, 32, 1])
    wrapped = keras.Model(image, Wrapped(discriminator)(image))
    step(model=pd.DCGAN(generator, wrapped))


@refused("a discriminator that ends in a sigmoid", "leave it out")
def _(folder):
    generator, discriminator = own_networks()
    ended = keras.layers.Activation("sigmoid")(discriminator.output)
    pd.DCGAN(generator, keras.Model(discriminator.input, ended))


@refused("a generator that ends in a sigmoid", "end it in tanh")
def _(folder):
    generator, discriminator = own_networks()
    ended = keras.layers.Activation("sigmoid")(generator.output)
    pd.DCGAN(keras.Model(generator.input, ended), discriminator)


@refused("networks of different sizes or channels", "build both of one size")
def _(folder):
    pd.DCGAN(own_networks()[0], pd.build_discriminator(size=64, channels=1))


SHARED = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
import pet_dcgan as pd
from compatibility import own_networks
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
real = np.random.default_rng(0).uniform(-1, 1, [8, 32, 32, 1])
found, start = [], own_networks()
for scope in (strategy.scope(), tf.device("CPU:0")):
    with scope:
        model = pd.DCGAN(*own_networks())
        model.compile()
    for network, first in zip((model.generator, model.discriminator), start):
        network.set_weights(first.get_weights())
    logs = model.fit(
        real, batch_size=4, shuffle=False, verbose=0, validation_data=real[:4]
    ).history
    found.append([logs[n][0] for n in ("d_loss", "g_loss", "val_kid")])
print("found", *found[0], *found[1])
"""


@works("`MirroredStrategy`")
def _(folder):
    done = subprocess.run(
        [sys.executable, "-c", SHARED],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=TESTS,  # for the helpers of tests
    )
    assert done.returncode == 0, done.stderr
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("found")]
    found = np.array(line.split()[1:], float).reshape(2, 3)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0, :2], found[1, :2], rtol=1e-4)


@ROWS.each()
def test_compile(row, tmp_path):
    row.run(tmp_path)
