import math

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import losses

LOGITS = tf.constant([[0.0], [math.log(3)]])  # D = 1/2 and 3/4


def test_hand_values():
    # -(log 1/2 + log 3/4) / 2 and -(log 1/2 + log 1/4) / 2
    real = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    fake = -(math.log(1 / 2) + math.log(1 / 4)) / 2
    assert float(losses.real_loss(LOGITS)) == pytest.approx(real)
    assert float(losses.fake_loss(LOGITS)) == pytest.approx(fake)
    assert float(losses.generator_loss(LOGITS)) == pytest.approx(real)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_confident_logits_stay_finite(logit):
    logits = tf.constant([[logit]])
    assert float(losses.fake_loss(logits)) == pytest.approx(max(logit, 0))
    assert float(losses.real_loss(logits)) == pytest.approx(max(-logit, 0))


def test_the_generator_gets_a_gradient_where_it_fails():
    # log(1 - D) would saturate here, -log D does not
    logits = tf.Variable([[-10.0]])
    with tf.GradientTape() as tape:
        loss = losses.generator_loss(logits)
    gradient = tape.gradient(loss, logits).numpy().item()
    assert gradient == pytest.approx(-1, abs=1e-4)


def test_share_called_real_counts_positive_logits():
    logits = np.array([[-1.0], [0.0], [1.0], [2.0]], np.float32)
    assert float(losses.share_called_real(logits)) == 0.5


def test_smoothed_labels_by_hand():
    # label 0.9: -(0.9 log D + 0.1 log(1 - D)), D = 1/2 and 3/4
    half = -math.log(1 / 2)
    quarter = -(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4))
    smoothed = float(losses.real_loss(LOGITS, smoothing=0.1))
    assert smoothed == pytest.approx((half + quarter) / 2)
    # least where the discriminator says the label
    logit = tf.Variable([[math.log(9)]])  # D = 0.9
    with tf.GradientTape() as tape:
        loss = losses.real_loss(logit, smoothing=0.1)
    gradient = tape.gradient(loss, logit).numpy().item()
    assert gradient == pytest.approx(0, abs=1e-6)


def test_the_r1_penalty_by_hand():
    gradients = np.zeros([2, 2, 2, 1], np.float32)
    gradients[0, 0, 0, 0], gradients[0, 1, 1, 0] = 3.0, 4.0  # norm 5 and 0
    assert float(losses.r1_penalty(gradients)) == pytest.approx(25 / 2 / 2)
