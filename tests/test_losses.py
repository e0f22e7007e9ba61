import doctest
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import losses

PAPER = losses.NonSaturating()
REAL, FAKE = tf.constant([[2.0], [0.5]]), tf.constant([[-3.0], [0.0]])
LOGITS = tf.constant([[0.0], [math.log(3)]])  # D = 1/2 and 3/4


def test_hand_values():
    # -(log 1/2 + log 3/4) / 2 and -(log 1/2 + log 1/4) / 2
    real = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    fake = -(math.log(1 / 2) + math.log(1 / 4)) / 2
    both = float(PAPER.discriminator_loss(LOGITS, LOGITS))
    assert both == pytest.approx(real + fake)
    assert float(PAPER.generator_loss(LOGITS)) == pytest.approx(real)


def test_the_two_pull_a_logit_apart():
    """The discriminator wants it lower, the generator higher."""
    logit = tf.Variable([[0.2]])
    with tf.GradientTape(persistent=True) as tape:
        d_loss = PAPER.discriminator_loss(REAL, logit)
        g_loss = PAPER.generator_loss(logit)
    assert tape.gradient(d_loss, logit).numpy().item() > 0
    assert tape.gradient(g_loss, logit).numpy().item() < 0


def test_a_loss_is_saved_by_its_configuration():
    config = keras.saving.serialize_keras_object(PAPER)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is losses.NonSaturating


def test_the_papers_is_the_default():
    assert type(losses.as_loss(None)) is losses.NonSaturating


def test_any_object_with_the_two_losses_will_do():
    class Own:
        def discriminator_loss(self, real_logits, fake_logits):
            return tf.reduce_mean(fake_logits - real_logits)

        def generator_loss(self, fake_logits):
            return -tf.reduce_mean(fake_logits)

    own = Own()
    assert losses.as_loss(own) is own
    for wrong in ("hinge", Own, 3, keras.losses.BinaryCrossentropy()):
        with pytest.raises(ValueError, match="object with discriminator_loss"):
            losses.as_loss(wrong)


def test_a_subclass_has_to_say_both():
    with pytest.raises(NotImplementedError):
        losses.AdversarialLoss().generator_loss(FAKE)
    with pytest.raises(NotImplementedError):
        losses.AdversarialLoss().discriminator_loss(REAL, FAKE)


def test_the_example():
    assert doctest.testmod(losses).failed == 0


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_confident_logits_stay_finite(logit):
    logits = tf.constant([[logit]])
    both = float(PAPER.discriminator_loss(logits, logits))
    assert both == pytest.approx(200)
    assert float(PAPER.generator_loss(logits)) == max(-logit, 0)


def test_the_generator_gets_a_gradient_where_it_fails():
    # log(1 - D) would saturate here, -log D does not
    logits = tf.Variable([[-10.0]])
    with tf.GradientTape() as tape:
        loss = PAPER.generator_loss(logits)
    gradient = tape.gradient(loss, logits).numpy().item()
    assert gradient == pytest.approx(-1, abs=1e-4)


def test_share_called_real_counts_positive_logits():
    logits = np.array([[-1.0], [0.0], [1.0], [2.0]], np.float32)
    assert float(losses.share_called_real(logits)) == 0.5
