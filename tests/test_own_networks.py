"""`train` on networks of the user's own, and what its run can do then."""

import dataclasses
import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from toy_networks import Block, own_discriminator, own_generator
from training_process import assert_same_run

from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.models.own_networks import own_networks
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.training.dry_run import dry_run
from pet_dcgan.training.train import train

OWN = {"generator": own_generator, "discriminator": own_discriminator}


@pytest.fixture(scope="module")
def config(toy_set):
    from toy_model import make_config

    return make_config(toy_set, epochs=3, ema_decay=0.5, select_every=2)


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    """Three epochs of own networks, not interrupted."""
    path = tmp_path_factory.mktemp("own") / "ad"
    return train(config, path, verbose=0, **OWN)


@pytest.fixture
def stopped(run, tmp_path):
    """`stopped(epoch)`: a copy of the run as it stood after an epoch."""

    def stop(epoch):
        path = tmp_path / "stopped"
        shutil.copytree(run.path, path)
        (path / "generator.keras").unlink()
        for later in range(epoch + 1, 4):
            (path / "checkpoint" / f"state_{later:04}.npz").unlink()
        return path

    return stop


def changed(config, **values):
    return dataclasses.replace(config, **values)


def test_the_run_says_that_its_networks_are_own(run):
    assert set(Run.open(run.path).networks) == set(OWN)
    assert "networks of your own" in run._repr_html_()
    assert "networks.json" in (run.path / "SHA256SUMS").read_text()
    assert (
        run.load_generator().count_params()
        == own_generator(run.config).count_params()
    )


@pytest.mark.parametrize("given", [{}, OWN], ids=["none given", "given"])
def test_a_stopped_run_ends_with_the_very_same_weights(
    config, run, stopped, given
):
    path = stopped(2)
    train(config, path, resume=True, verbose=0, **given)
    assert_same_run(run.path, path)
    assert (path / "generator.keras").read_bytes() == (
        run.path / "generator.keras"
    ).read_bytes()


def test_a_run_stopped_in_its_first_epoch_starts_where_it_started(
    config, tmp_path
):
    """The weights of a given model follow from no seed."""
    generator = own_generator(config)
    for variable in generator.trainable_variables:
        variable.assign_add(np.full(variable.shape, 0.1))
    before = generator.get_weights()

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    own = OWN | {"generator": generator}
    whole = train(config, tmp_path / "whole", verbose=0, **own)
    path = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(config, path, verbose=0, callbacks=[Stop()], **own)
    assert [p.name for p in (path / "checkpoint").glob("state*")] == [
        "state_0000.npz"
    ]
    train(config, path, resume=True, verbose=0)
    assert_same_run(whole.path, path)
    for one, other in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # and without the state there is no way to know
    (path / "generator.keras").unlink()
    shutil.rmtree(path / "checkpoint")
    with pytest.raises(ValueError, match="give discriminator= again"):
        train(config, path, resume=True, verbose=0)


def test_only_the_same_networks_are_resumed(config, stopped, tmp_path):
    path = stopped(2)

    def other(config):
        return own_generator(config, filters=8)

    with pytest.raises(ValueError, match="expected the generator that") as e:
        train(config, path, resume=True, verbose=0, generator=other)
    assert "\n" not in str(e.value)
    Run.create(tmp_path / "ours", config, ["999_S_3000"])
    with pytest.raises(ValueError, match="expected the discriminator that"):
        train(
            config,
            tmp_path / "ours",
            resume=True,
            verbose=0,
            discriminator=own_discriminator,
        )


def test_it_is_evaluated_and_exported(run, tmp_path):
    metrics = evaluate(run.path, count=8, search=8)
    assert metrics["training"]["own_networks"] == ["discriminator", "generator"]
    assert metrics["training"]["width"] is None
    page = (run.evaluation / "report.html").read_text()
    assert "a network of the user's own" in page
    assert "width" not in page.split("Generator</dt>")[1].split("</dd>")[0]
    version = export_run(run, tmp_path / "models", allow_copies=True)
    assert (version / "saved_model.pb").is_file()


def test_another_process_needs_nothing_but_this_package(config, tmp_path):
    own = {"generator": lambda c: own_generator(c, block=False)}
    run = train(
        changed(config, epochs=1, select_every=0),
        tmp_path / "ad",
        verbose=0,
        **own,
    )
    code = (
        "import pet_dcgan as pd, numpy as np, sys\n"
        f"network = pd.Run.open({str(run.path)!r}).load_generator()\n"
        "print(float(np.sum(network(np.ones([2, 6], np.float32)))))\n"
        "assert 'toy_networks' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    latents = np.ones([2, 6], np.float32)
    expected = float(np.sum(run.load_generator()(latents)))
    assert float(done.stdout) == pytest.approx(expected)


def test_a_class_that_is_not_registered_is_named(run, monkeypatch):
    registered = keras.saving.get_custom_objects()
    monkeypatch.delitem(registered, "toy>Block")
    opened = Run.open(run.path)  # all but the generator is there
    with pytest.raises(ValueError, match=r"toy>Block.*import the module") as e:
        opened.load_generator()
    assert "\n" not in str(e.value)
    assert str(run.path / "networks.json") in str(e.value)


class TestRefusals:
    def refused(self, config, match, error=ValueError, **given):
        with pytest.raises(error, match=match) as caught:
            own_networks(config, **given)
        assert "\n" not in str(caught.value)

    def test_other_shapes(self, config):
        for values in ({"latent_dim": 7}, {"size": 64}, {"channels": 3}):
            other = own_generator(changed(config, **values))
            self.refused(config, "expected a generator from", generator=other)
        other = own_discriminator(changed(config, channels=3))
        self.refused(config, "expected a discr", discriminator=other)

    def test_what_is_no_network(self, config):
        for given in (3, "resnet", lambda config: None, lambda config: 3):
            self.refused(config, "Keras model", TypeError, generator=given)

    def test_a_network_without_inputs(self, config):
        class Subclassed(keras.Model):
            def call(self, x):
                return x

        for given in (Subclassed(), keras.Sequential([Block(3)])):
            self.refused(config, "functional or Sequential", generator=given)

    def test_a_sigmoid_at_the_end(self, config):
        for make, role, words in (
            (own_generator, "generator", "end it in tanh"),
            (own_discriminator, "discriminator", "leave it out"),
        ):
            network = make(config)
            network.layers[-1].activation = keras.activations.sigmoid
            self.refused(config, words, **{role: network})

    def test_another_precision(self, config):
        mixed = changed(config, precision="mixed_bfloat16")
        given = {"generator": own_generator}
        self.refused(mixed, "compute in mixed_bfloat16, found float32", **given)
        latent = keras.Input([6])
        x = keras.layers.Dense(1024, dtype="mixed_bfloat16")(latent)
        image = keras.layers.Reshape([32, 32, 1], dtype="mixed_bfloat16")(x)
        network = keras.Model(latent, image)
        self.refused(config, "compute in float32", generator=network)
        self.refused(mixed, "ends in float32", generator=network)

    def test_before_anything_is_written(self, config, tmp_path):
        class Mine(keras.layers.Layer):
            def call(self, latents):
                return latents

        def make(config):
            latent = keras.Input([6])
            x = keras.layers.Dense(1024)(Mine()(latent))
            return keras.Model(latent, keras.layers.Reshape([32, 32, 1])(x))

        with pytest.raises(ValueError, match=r"found .*Mine: decorate"):
            train(config, tmp_path / "ad", verbose=0, generator=make)
        with pytest.raises(ValueError, match=r"found .*Mine: decorate"):
            dry_run(config, generator=make)
        assert not list(tmp_path.iterdir())


def test_mixed_precision_trains(config, tmp_path):
    mixed = changed(
        config, precision="mixed_bfloat16", epochs=1, select_every=0
    )

    def make(config):
        latent = keras.Input([6])
        options = {"dtype": config.precision}
        x = keras.layers.Dense(16 * 16 * 2, **options)(latent)
        x = keras.layers.Reshape([16, 16, 2], **options)(x)
        inner = keras.Sequential(
            [keras.Input([16, 16, 2]), keras.layers.UpSampling2D(**options)]
        )
        image = keras.layers.Conv2D(
            1, 3, padding="same", activation="tanh", dtype="float32"
        )(inner(x))
        return keras.Model(latent, image)

    run = train(mixed, tmp_path / "ad", verbose=0, generator=make)
    network = run.load_generator()
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert json.loads((run.path / "networks.json").read_text()).keys() == {
        "generator"
    }
