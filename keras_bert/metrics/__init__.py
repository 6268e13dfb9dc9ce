"""Evaluation metrics: classification, regression, SQuAD, entities."""
