"""The base class of tasks, which training, inference and the command line use for each step that differs by task."""

import abc
import dataclasses
from collections.abc import Callable, Sequence

from keras_bert.errors import InputError
from keras_bert.tasks.task_data import TaskData, TaskDefaults, TrainedModel
from keras_bert.tasks.trainable import Trainable


@dataclasses.dataclass(frozen=True)
class Task(Trainable, abc.ABC):
    """A kind of prediction with its head, preprocessing, objective, decoding and metrics.

    Each task is a subclass in its own file in `keras_bert/tasks/`. The file registers the only instance with
    `register_task`. A subclass implements the abstract methods.

    Attributes:
        name: name on the command line, such as `"multi-label"`.
        kind, objective: see `Trainable`.
        higher_is_better: whether the best epoch has the highest `val_` value of `metric`. If False, it has the lowest
            `val_loss`.
        defaults: `TaskDefaults`.
        data_files: names of the training file and the dev file in a dataset folder.
        problem_type: problem type of the classifier, see `BertClassifier`; None for other models.
        per_token: whether targets have one entry per token, `[N, T]`.
        encoder_is_frozen: whether only the head is trained, on features that the pretrained encoder computes once.
        model_options: names of further arguments of `build_model`; the command line has an option for each.
        report_options: names of further arguments of `report`: `label_names`, `bootstrap`.
        data_options: names of further arguments of `load` and `read`: `skip_malformed`, `tag_column`.
        setting_names: names of the settings that `kb.save_pretrained` keeps for this task.
        columns: column names of `cells`.
    """

    name: str
    higher_is_better: bool = True
    defaults: TaskDefaults = TaskDefaults()
    data_files: tuple[str, str] = ("train.tsv", "dev.tsv")
    problem_type: str | None = None
    per_token: bool = False
    encoder_is_frozen: bool = False
    model_options: tuple[str, ...] = ()
    report_options: tuple[str, ...] = ()
    data_options: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("label", "text")

    def matches(self, model) -> bool:
        """Return whether a model has the class and the problem type of this task."""
        if not isinstance(model, self.model_class):
            return False
        return self.problem_type is None or problem_type_of(model) == self.problem_type

    # === Data ===

    @abc.abstractmethod
    def load(self, dataset: str, label_names: Sequence[str] | None = None, **options) -> TaskData:
        """Read a dataset.

        Args:
            dataset: a folder with `data_files`, or a name that the task knows.
            label_names: names of the classes, labels or tags, in order. Default: those in the training file.
            **options: the `data_options`.

        Raises:
            InputError: a file is missing or malformed, or the names do not fit.
        """

    @abc.abstractmethod
    def read(self, path, labels: Sequence[str] | None, **options) -> Sequence:
        """Read one file of examples, in the form of `TaskData.dev`.

        Args:
            path: the file.
            labels: names in the order of the logits, or None.
            **options: the `data_options`.
        """

    @abc.abstractmethod
    def train_validation_rows(self, data: TaskData, preprocessor, seed: int, fraction: float) -> tuple[tuple, tuple]:
        """Split the training examples and convert them to rows of token ids.

        Args:
            data: what `load` returned.
            preprocessor: `Preprocessor`.
            seed: seed of the split.
            fraction: fraction of the training examples to use for validation, at least one example.

        Returns:
            `(ids, labels)` of the training rows and of the validation rows. The latter select the best epoch.
        """

    # === Model and objective ===

    @abc.abstractmethod
    def build_model(self, encoder, data: TaskData, **options):
        """Return a new model of `model_class` on an encoder.

        Args:
            encoder: a `BertEncoder`.
            data: what `load` returned.
            **options: the `model_options`.
        """

    @abc.abstractmethod
    def targets(self, model, ids: dict, labels) -> tuple:
        """Check labels and return what the loss takes.

        Args:
            model: a model of this task.
            ids: dict of the encoder's inputs, `[N, T]` each.
            labels: the labels, as `kb.finetune` takes them.

        Returns:
            Targets, and their weights or None. Each is an array, or a dict of arrays by output.

        Raises:
            InputError: the labels do not fit the model or the rows.
        """

    # === Evaluation ===

    @abc.abstractmethod
    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute metrics over rows, among them `loss` and the name of `metric`.

        Args:
            outputs: what the model returns for all rows: an array, or a dict of arrays.
            targets, weights: what `targets` returned.
        """

    def report(self, outputs, targets, weights, **options) -> dict:
        """Compute all metrics over rows, those that `kb.evaluate` returns. By default they are `compute_metrics`.

        Args:
            outputs, targets, weights: as in `compute_metrics`.
            **options: the `report_options`: `label_names`, names in the order of the logits, and `bootstrap`, settings
                of intervals; each may be None.
        """
        return self.compute_metrics(outputs, targets, weights)

    def check_options(self, names: Sequence[str], **options) -> dict:
        """Return the options that are given: neither None nor False.

        Args:
            names: the options that the task has: its `report_options` or its `data_options`.

        Raises:
            InputError: another option is given.
        """
        given = {name: value for name, value in options.items() if value is not None and value is not False}
        for name in given:
            if name not in names:
                default = {"bootstrap": "0", "skip_malformed": "False"}.get(name, "None")
                raise InputError(f"`{name}` must be {default} for the task {self.name}. Received: {name}={given[name]}")
        return given

    @abc.abstractmethod
    def evaluate(self, trained: TrainedModel, examples: Sequence) -> dict:
        """Compute the metrics of the task over examples: questions for spans, entities for tokens, otherwise texts.

        Args:
            trained: `TrainedModel`.
            examples: in the form of `TaskData.dev`.

        A task whose `report_options` contain `bootstrap` has the further argument `bootstrap`, settings or None.
        """

    def selection_metric(self, trained: TrainedModel, data: TaskData, seed: int, fraction: float) -> Callable | None:
        """Return a function that evaluates the validation examples, or None if `metric` over rows is enough.

        The epoch with the highest value of the function or, for None, with the best `metric` is kept.
        """
        return None

    def best_epoch(self, history: dict[str, list[float]]) -> int:
        """Return the index of the epoch whose weights the model has after training.

        Args:
            history: the `history` of the Keras `History`.
        """
        if "val_selection_metric" in history:
            values = history["val_selection_metric"]
        elif self.higher_is_better:
            values = history[f"val_{self.metric[0]}"]
        else:
            values = [0.0] * len(history["val_loss"])
        return max(range(len(values)), key=lambda i: (values[i], -history["val_loss"][i]))

    # === Predictions ===

    @abc.abstractmethod
    def predict(self, trained: TrainedModel, texts: list, top_k: int | None = None) -> list[dict]:
        """Return one dict per text.

        Args:
            trained: `TrainedModel`.
            texts: strings, or (first, second) tuples.
            top_k: number of the most probable classes to list; None for tasks without classes.

        Raises:
            InputError: `texts` are single texts and the model needs pairs, or the reverse; or `top_k` is not None for a
                task without classes.
        """

    @abc.abstractmethod
    def cells(self, prediction: dict) -> tuple:
        """Return the values of `columns` for one dict of `predict`, to show in a table."""

    def example_text(self, data: TaskData) -> str:
        """Return an input for `keras-bert predict`, quoted for a shell."""
        return '"a fine film"'


def problem_type_of(model) -> str | None:
    """Return the problem type of a classifier, or None for other models."""
    return getattr(model, "problem_type", None)


def reject_top_k(top_k: int | None) -> None:
    """Raise InputError if `top_k` is given; for models without classes."""
    if top_k is not None:
        raise InputError(f"`top_k` must be None for a model without classes. Received: top_k={top_k}")
