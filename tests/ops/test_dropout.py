"""The hashed dropout mask: its rate, its independence, its gradient."""

import numpy as np
import pytest
import tensorflow as tf

from keras_bert.ops.kernels.dropout import dropout


def test_dropout_rate_independence_and_gradient():
    x = tf.ones((400, 500))
    masks = []
    for key in ([1, 0], [1, 1], [2, 0], [123456789, 7]):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = dropout(x, tf.constant(key), 0.3)
        np.testing.assert_array_equal(y, tape.gradient(y, x))
        masks.append(np.asarray(y) > 0)
        assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
        assert masks[-1].mean() == pytest.approx(0.7, abs=0.005)  # 5 standard errors
        for axis in (0, 1):  # rows and columns differ as much as chance makes them differ
            share = masks[-1].mean(axis)
            assert share.std() == pytest.approx((0.21 / x.shape[axis]) ** 0.5, rel=0.2)
    for i, first in enumerate(masks):
        for second in masks[:i]:
            for shift in (0, 1, 7, 500):
                correlation = np.corrcoef(first.ravel(), np.roll(second.ravel(), shift))[0, 1]
                assert abs(correlation) < 0.015
    neighbors = np.corrcoef(masks[0].ravel()[1:], masks[0].ravel()[:-1])[0, 1]
    assert abs(neighbors) < 0.015
