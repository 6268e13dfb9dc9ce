"""Evaluation metrics on numpy arrays and Python lists: classification, regression, SQuAD, entities."""

from keras_bert.metrics.bootstrap import Bootstrap, make_bootstrap
from keras_bert.metrics.calibration import calibration_error
from keras_bert.metrics.classification import (
    accuracy,
    classification_metrics,
    confusion_matrix,
    cross_entropy,
    multi_label_metrics,
)
from keras_bert.metrics.entities import entity_f1, extract_entities, tag_metrics
from keras_bert.metrics.rates import matthews_correlation, roc_auc
from keras_bert.metrics.regression import mean_absolute_error, pearson, regression_metrics, spearman
from keras_bert.metrics.report import classification_report, multi_label_report
from keras_bert.metrics.squad import normalize_answer, squad_metrics
from keras_bert.metrics.tables import format_metrics, format_table, metric_tables
from keras_bert.metrics.tag_scheme import TagScheme, find_scheme

__all__ = [
    "Bootstrap",
    "TagScheme",
    "accuracy",
    "calibration_error",
    "classification_metrics",
    "classification_report",
    "confusion_matrix",
    "cross_entropy",
    "entity_f1",
    "extract_entities",
    "find_scheme",
    "format_metrics",
    "format_table",
    "make_bootstrap",
    "metric_tables",
    "matthews_correlation",
    "mean_absolute_error",
    "multi_label_metrics",
    "multi_label_report",
    "normalize_answer",
    "pearson",
    "regression_metrics",
    "roc_auc",
    "spearman",
    "squad_metrics",
    "tag_metrics",
]
