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


@pytest.mark.parametrize(
    ("name", "d_loss", "g_loss"),
    [
        # (0 + 0.5) / 2 + (0 + 1) / 2, and (3 - 0) / 2
        ("hinge", 0.75, 1.5),
        # (1 + 0.25 + 9 + 0) / 2 / 2, and (16 + 1) / 2 / 2
        ("least_squares", 2.5625, 4.25),
        # -1.5 - 1.25, and 1.5
        ("wasserstein", -2.75, 1.5),
    ],
)
def test_the_others_by_hand(name, d_loss, g_loss):
    loss = losses.get_loss(name)
    assert float(loss.discriminator_loss(REAL, FAKE)) == d_loss
    assert float(loss.generator_loss(FAKE)) == g_loss


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_two_pull_a_logit_apart(name):
    """The discriminator wants it lower, the generator higher."""
    loss, logit = losses.get_loss(name), tf.Variable([[0.2]])
    with tf.GradientTape(persistent=True) as tape:
        d_loss = loss.discriminator_loss(REAL, logit)
        g_loss = loss.generator_loss(logit)
    assert tape.gradient(d_loss, logit).numpy().item() > 0
    assert tape.gradient(g_loss, logit).numpy().item() < 0


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_loss_is_saved_by_its_configuration(name):
    loss = losses.get_loss(name)
    config = keras.saving.serialize_keras_object(loss)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_the_smoothing_is_saved():
    config = losses.NonSaturating(smoothing=0.2).get_config()
    assert losses.NonSaturating.from_config(config).smoothing == 0.2


def test_any_object_with_the_two_losses_will_do():
    class Own:
        def discriminator_loss(self, real_logits, fake_logits):
            return tf.reduce_mean(fake_logits - real_logits)

        def generator_loss(self, fake_logits):
            return -tf.reduce_mean(fake_logits)

    own = Own()
    assert losses.get_loss(own) is own
    for wrong in ("bce", None, Own, 3, keras.losses.BinaryCrossentropy()):
        with pytest.raises(ValueError, match="expected a loss among non_sat"):
            losses.get_loss(wrong)


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


def test_smoothed_labels_by_hand():
    # label 0.9: -(0.9 log D + 0.1 log(1 - D)), D = 1/2 and 3/4
    half = -math.log(1 / 2)
    quarter = -(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4))
    smooth = losses.NonSaturating(smoothing=0.1)
    sure = tf.constant([[-200.0]])  # of generated images, which cost nothing
    smoothed = float(smooth.discriminator_loss(LOGITS, sure))
    assert smoothed == pytest.approx((half + quarter) / 2)
    # least where the discriminator says the label
    logit = tf.Variable([[math.log(9)]])  # D = 0.9
    with tf.GradientTape() as tape:
        loss = smooth.discriminator_loss(logit, sure)
    gradient = tape.gradient(loss, logit).numpy().item()
    assert gradient == pytest.approx(0, abs=1e-6)


def test_the_r1_penalty_by_hand():
    gradients = np.zeros([2, 2, 2, 1], np.float32)
    gradients[0, 0, 0, 0], gradients[0, 1, 1, 0] = 3.0, 4.0  # norm 5 and 0
    assert float(losses.r1_penalty(gradients)) == pytest.approx(25 / 2 / 2)
