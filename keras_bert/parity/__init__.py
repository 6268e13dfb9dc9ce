"""Numerical comparison of an encoder with other implementations."""

from keras_bert.parity.check import CheckReport, check
from keras_bert.parity.compare import Parity, compare, parity_inputs

__all__ = ["CheckReport", "Parity", "check", "compare", "parity_inputs"]
