"""Classification with a functional Keras model that the user built on an encoder."""

import dataclasses

from keras_bert.tasks.classification import ClassificationTask, class_targets
from keras_bert.tasks.objectives import class_objective
from keras_bert.tasks.registry import register_functional_task


@dataclasses.dataclass(frozen=True)
class FunctionalTask(ClassificationTask):
    """Classification with a `keras.Model` on a `BertEncoder` whose output is the logits of C classes.

    It has no name on the command line, because the command line builds no such model.
    """

    def matches(self, model) -> bool:
        """Return whether a model is a functional model on an encoder that ends with logits of classes."""
        from keras_bert.models.encoder_of import check_user_model, is_user_model, returns_class_logits

        if not is_user_model(model):
            return False
        check_user_model(model)
        return returns_class_logits(model)

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check class ids, int `[N]` in 0 … C - 1, and return them as int32."""
        return class_targets(labels, len(ids["input_word_ids"]), model.output.shape[-1]), None


register_functional_task(
    FunctionalTask(
        name="functional",
        kind=None,
        objective=class_objective,
    )
)
