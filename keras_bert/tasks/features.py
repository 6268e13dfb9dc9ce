"""The task of classification on features of a frozen encoder: only the head is trained."""

import dataclasses

from keras_bert.tasks.classification import ClassificationTask
from keras_bert.tasks.objectives import class_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.task_data import TaskData, TaskDefaults


@dataclasses.dataclass(frozen=True)
class FeaturesTask(ClassificationTask):
    """Classification of texts or pairs of texts with the feature-based approach.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    def build_model(self, encoder, data: TaskData, pool: str = "max"):
        """Return a `BertFeatureClassifier`.

        Args:
            encoder: a `BertEncoder`.
            data: what `load` returned.
            pool: how the vectors of the tokens become one vector, see `kb.embed`.
        """
        from keras_bert.models import BertFeatureClassifier

        return BertFeatureClassifier(encoder, len(data.label_names), pool, encoder.config.hidden_dropout)


register_task(
    FeaturesTask(
        name="features",
        kind="feature_classifier",
        objective=class_objective,
        higher_is_better=False,  # the epoch with the lowest val_loss is kept
        defaults=TaskDefaults(epochs=100, learning_rate=1e-3),
        problem_type="single_label",
        encoder_is_frozen=True,
        model_options=("pool",),
    )
)
