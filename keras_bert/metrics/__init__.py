"""Evaluation metrics on numpy arrays and Python lists: classification, regression, SQuAD, entities."""

from keras_bert.metrics.classification import (
    accuracy,
    classification_metrics,
    confusion_matrix,
    cross_entropy,
    multi_label_metrics,
)
from keras_bert.metrics.entities import entity_f1, extract_entities
from keras_bert.metrics.regression import mean_absolute_error, pearson, regression_metrics, spearman
from keras_bert.metrics.squad import normalize_answer, squad_metrics

__all__ = [
    "accuracy",
    "classification_metrics",
    "confusion_matrix",
    "cross_entropy",
    "entity_f1",
    "extract_entities",
    "mean_absolute_error",
    "multi_label_metrics",
    "normalize_answer",
    "pearson",
    "regression_metrics",
    "spearman",
    "squad_metrics",
]
