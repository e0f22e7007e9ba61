"""What replicas share; several at once are in test_shared_training.py."""

import numpy as np
import tensorflow as tf

from pet_dcgan.models import replicas


def test_one_device_has_its_own_mean():
    x = tf.constant([[1.0, 2.0]])
    assert replicas.replica_count() == 1
    assert replicas.replica_mean(x) is x


def test_the_mean_is_asked_of_the_strategy(monkeypatch):
    monkeypatch.setattr(replicas, "replica_count", lambda: 2)
    strategy, asked = tf.distribute.MirroredStrategy(["CPU:0"]), []

    def mean(operation, value):
        asked.append(operation)
        return (value + 4.0) / 2  # of another replica that has 4

    def step():
        context = tf.distribute.get_replica_context()
        monkeypatch.setattr(context, "all_reduce", mean, raising=False)
        return replicas.replica_mean(tf.constant(2.0))

    np.testing.assert_array_equal(strategy.run(step), 3.0)
    assert asked == [tf.distribute.ReduceOp.MEAN]
