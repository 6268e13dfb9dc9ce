"""Bundled models, published models and the hashes of their files."""

from keras_bert.catalog.published_models import Identity, PublishedModel, identify, list_published

__all__ = ["Identity", "PublishedModel", "identify", "list_published"]
