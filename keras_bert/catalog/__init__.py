"""The lists of bundled and published models, and the hashes of the published files."""

from keras_bert.catalog.listing import PretrainedInfo, list_pretrained
from keras_bert.catalog.published_models import CheckpointMatch, PublishedModel, identify, list_published

__all__ = ["CheckpointMatch", "PretrainedInfo", "PublishedModel", "identify", "list_pretrained", "list_published"]
