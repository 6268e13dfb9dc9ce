"""Texts to a class, by a head on vectors that a resting encoder gave once."""

import keras

from keras_bert.inference import embed
from keras_bert.models import BertFeatureClassifier
from keras_bert.tasks.texts import TextTask
from keras_bert.training import fit_features


class FeatureTask(TextTask):
    """A classifier of texts of which the head alone learns.

    Args:
        dataset, names: as for `TextTask`.
        pool: how the tokens of a text become its vector; see `embed`.

    Raises:
        InputError: as `TextTask`.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    def __init__(self, dataset: str, names=None, pool: str = "max"):
        super().__init__(dataset, names)
        self.pool = pool

    def model(self, encoder) -> BertFeatureClassifier:
        """The encoder with a head on its texts' vectors."""
        return BertFeatureClassifier(encoder, len(self.label_names), self.pool, encoder.config.hidden_dropout)

    def fit(self, model, rows: tuple, held_out: tuple, **settings) -> keras.callbacks.History:
        """`fit_features`, on vectors worked out once."""
        parts = [part for ids, labels in (rows, held_out) for part in (embed(model.encoder, ids, self.pool), labels)]
        return fit_features(model, *parts, **settings)

    def best(self, history: dict[str, list[float]]) -> int:
        """The epoch, from 0, whose weights the head was left with."""
        return min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
