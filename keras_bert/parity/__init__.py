"""Numerical comparison of an encoder with other implementations."""

from keras_bert.parity.check import CheckReport, check
from keras_bert.parity.compare import ParityReport, compare
from keras_bert.weights.parity_inputs import parity_inputs

__all__ = ["CheckReport", "ParityReport", "check", "compare", "parity_inputs"]
