"""Two optimisers where callbacks expect one."""

import keras
import pytest

from pet_dcgan.models.optimizer_pair import OptimizerPair, as_optimizer


@pytest.fixture
def pair():
    return OptimizerPair(keras.optimizers.SGD(0.4), keras.optimizers.SGD(0.1))


def test_the_ratio_of_the_rates_stays(pair):
    pair.learning_rate = 0.2
    assert float(pair.learning_rate) == pytest.approx(0.2)
    assert float(pair.generator.learning_rate) == pytest.approx(0.2)
    assert float(pair.discriminator.learning_rate) == pytest.approx(0.05)
    assert pair.iterations is pair.generator.iterations


def test_the_loss_is_scaled_for_networks_in_networks():
    half = keras.layers.Dense(2, dtype="mixed_float16")
    inner = keras.Sequential([keras.Input([2]), half])
    outer = keras.Sequential([keras.Input([2]), inner])
    found = as_optimizer("sgd", scaled_for=[outer])
    assert isinstance(found, keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_stops_all_is_refused(pair, rate):
    with pytest.raises(ValueError, match="expected a learning rate above 0"):
        pair.learning_rate = rate


def test_names_and_configurations_become_optimisers():
    assert isinstance(as_optimizer("sgd"), keras.optimizers.SGD)
    config = keras.optimizers.serialize(keras.optimizers.Adam(0.5))
    assert float(as_optimizer(config).learning_rate) == 0.5
    paper = as_optimizer(None)
    assert (float(paper.learning_rate), paper.beta_1) == (
        pytest.approx(1e-4),
        0.5,
    )
    own = keras.optimizers.Adam()
    assert as_optimizer(own) is own


@pytest.mark.parametrize("wrong", ["adamant", 3])
def test_what_keras_does_not_know_is_refused(wrong):
    with pytest.raises(ValueError, match="expected an optimiser, its name"):
        as_optimizer(wrong)


@pytest.mark.parametrize(
    ("precision", "scaled"),
    [("float32", False), ("mixed_bfloat16", False), ("mixed_float16", True)],
)
def test_the_loss_is_scaled_in_16_bits(precision, scaled):
    network = keras.Sequential(
        [keras.Input([2]), keras.layers.Dense(1, dtype=precision)]
    )
    found = as_optimizer("adam", scaled_for=[network])
    wrapped = isinstance(found, keras.optimizers.LossScaleOptimizer)
    assert wrapped is scaled
    if scaled:  # not twice
        assert as_optimizer(found, scaled_for=[network]) is found
