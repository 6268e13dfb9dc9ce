"""The part of a task that needs Keras: the class of its model, its loss and the metric that is logged with it."""

import dataclasses
import functools
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Trainable:
    """Base class of tasks. Keras is imported when a property is first used, so that a task predicts without it.

    Attributes:
        kind: kind of the model, such as `"classifier"`, a key of `MODEL_CLASSES`; None for other models.
        objective: function that returns `loss` and `metric`.
    """

    kind: str | None
    objective: Callable[[], tuple]

    @property
    def model_class(self) -> type:
        """The class of the model, such as `BertClassifier`."""
        from keras_bert.models import MODEL_CLASSES

        return MODEL_CLASSES[self.kind]

    @functools.cached_property
    def _loss_and_metric(self) -> tuple:
        return self.objective()

    @property
    def loss(self):
        """The `WeightedMean` that is used for each output of the model."""
        return self._loss_and_metric[0]

    @property
    def metric(self) -> tuple[str, Callable]:
        """Name and function of the metric that is logged with the loss.

        The function takes targets and outputs and returns one value per example.
        """
        return self._loss_and_metric[1]

    @property
    def has_class_ids(self) -> bool:
        """Whether the targets are class ids: exactly one class applies to an example, or to a token."""
        from keras_bert.tasks.losses import MeanCrossEntropy

        return isinstance(self.loss, MeanCrossEntropy)

    @property
    def per_example_fns(self) -> dict[str, Callable]:
        """Loss and metric as functions of targets and outputs, for `ops.train_on_batch`."""
        return {"loss": self.loss.call, self.metric[0]: self.metric[1]}

    def compile(self, model, optimizer, jit_compile) -> None:
        """Compile a model with the loss and the metric of the task for each of its outputs."""
        from keras_bert.tasks.losses import MeanOf

        name, function = self.metric
        if isinstance(model.output, dict):
            losses = {key: self.loss for key in model.output}
            metrics = {key: [MeanOf(function, name)] for key in model.output}
        else:
            losses, metrics = self.loss, [MeanOf(function, name)]
        model.compile(optimizer, loss=losses, weighted_metrics=metrics, jit_compile=jit_compile)
