"""The backends of `Predictor`, for task models, pretrainers and encoders. All have the same methods."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from keras_bert.errors import InputError
from keras_bert.inference.fill_mask import predict_masks
from keras_bert.inference.sentence_pairs import CLASS_NAMES, OUTPUTS, sentence_logits
from keras_bert.metrics import Bootstrap
from keras_bert.tasks import Preprocessor, Task, TrainedModel
from keras_bert.tasks.classification import CLASSIFICATION
from keras_bert.tasks.task import reject_top_k

TOP_TOKENS = 5  # tokens per mask if `top_k` is not given


class Backend:
    """Base class of the backends. `preprocessor` is a `Preprocessor`, or another function from texts to inputs."""

    preprocessor = None

    def warn_of_long_texts(self) -> None:
        """Warn about texts that were truncated, if there are any."""
        if isinstance(self.preprocessor, Preprocessor):
            self.preprocessor.long_texts.warn()


class TaskBackend(Backend):
    """Backend of a task model, which may be a Keras model, an ONNX session or a SavedModel.

    Args:
        task: `Task`.
        trained: `TrainedModel`.
        model: the Keras model, or None.

    Attributes:
        task_name: name of the task.
        labels: C names in the order of the logits, or None.
        model: the argument.
        columns: column names of `cells`.
    """

    def __init__(self, task: Task, trained: TrainedModel, model=None):
        self.task, self.trained, self.model = task, trained, model
        self.preprocessor = trained.preprocessor
        self.task_name, self.columns, self.labels = task.name, task.columns, trained.labels

    def predict(self, texts: Sequence, batch_size: int, top_k: int | None) -> list[dict]:
        """Return one dict per text."""
        return self.task.predict(replace(self.trained, batch_size=batch_size), texts, top_k)

    def evaluate(self, path, batch_size: int, bootstrap: Bootstrap | None = None, **data_options) -> dict:
        """Compute the metrics of the task on a file of labeled examples."""
        options = self.task.check_options(self.task.report_options, bootstrap=bootstrap)
        data_options = self.task.check_options(self.task.data_options, **data_options)
        examples = self.task.read(path, self.labels, **data_options)
        return self.task.evaluate(replace(self.trained, batch_size=batch_size), examples, **options)

    def cells(self, prediction: dict) -> tuple:
        """Return the values of `columns` for one prediction."""
        return self.task.cells(prediction)


class PretrainerBackend(Backend):
    """Backend of a pretrainer. It predicts the tokens at `[MASK]` in single texts, and the sentence task for pairs.

    Args:
        predict_batch: function of a pretrainer's inputs that returns its outputs.
        preprocessor: `Preprocessor`.
        mask_vectorizer: `BertTextVectorization` that keeps `[MASK]` as one token.
        sentence_task: `"next"`, `"order"` or None.
        model: the Keras model, or None.
        predict_masked: another function to use instead of `predict_batch` for texts with `[MASK]`, or None.
        step: see `length_sorted_batches`.

    Attributes:
        task_name, labels, model, columns: as in `TaskBackend`. The labels are those of the sentence task.
    """

    task_name = "pretraining"
    columns = ("label", "probability", "text")

    def __init__(
        self,
        predict_batch: Callable,
        preprocessor,
        mask_vectorizer,
        sentence_task: str | None,
        model=None,
        predict_masked: Callable | None = None,
        step: int = 1,
    ):
        self.model, self.sentence_task, self.preprocessor = model, sentence_task, preprocessor
        self.labels = list(CLASS_NAMES[sentence_task]) if sentence_task else None
        self.mask_vectorizer, self.vocabulary = mask_vectorizer, list(preprocessor.vocabulary)
        self.predict_masked = predict_masked or predict_batch

        def pair_logits(ids: dict, batch_size: int):
            return sentence_logits(predict_batch, ids, batch_size, OUTPUTS[sentence_task], step)

        self.pairs = TrainedModel(pair_logits, preprocessor, self.labels, {"pairs": True})

    def predict(self, texts: Sequence, batch_size: int, top_k: int | None) -> list[dict]:
        """Return one dict per text: predictions of masked tokens, or the label of a pair."""
        if isinstance(texts[0], tuple):
            self._check_sentence_task()
            return CLASSIFICATION.predict(replace(self.pairs, batch_size=batch_size), texts, top_k)
        for text in texts:
            if "[MASK]" not in text:
                raise InputError(
                    "`texts` must have [MASK] in each text, or be pairs of texts, for a model that is only pretrained. "
                    f"Received: a single text, {text[:40]!r}"
                )
        results = predict_masks(self.predict_masked, self.vocabulary, self.mask_vectorizer, texts, top_k or TOP_TOKENS)
        for result in results:
            result["masks"] = [{"predictions": mask["predictions"]} for mask in result["masks"]]
        return results

    def evaluate(self, path, batch_size: int, bootstrap: Bootstrap | None = None, **data_options) -> dict:
        """Compute the metrics of the sentence task on a file of labeled pairs."""
        self._check_sentence_task()
        examples = CLASSIFICATION.read(
            path, self.labels, **CLASSIFICATION.check_options(CLASSIFICATION.data_options, **data_options)
        )
        return CLASSIFICATION.evaluate(replace(self.pairs, batch_size=batch_size), examples, bootstrap)

    def cells(self, prediction: dict) -> tuple:
        """Return the values of `columns` for one prediction."""
        if "masks" not in prediction:
            return CLASSIFICATION.cells(prediction)
        best = [mask["predictions"][0] for mask in prediction["masks"]]
        tokens = ", ".join(each["token"] for each in best)
        return tokens, ", ".join(f"{each['probability']:.3f}" for each in best), prediction["text"]

    def _check_sentence_task(self) -> None:
        if self.sentence_task is None:
            raise InputError(
                "`texts` must be single texts with [MASK] for a model with a masked-LM head only. Received: pairs"
            )


class EmbeddingBackend(Backend):
    """Backend of an encoder. It computes one vector for each text.

    Args:
        embed: function of texts, or of a pair of lists of texts, and of a batch size; it returns float32 `[N, D]`.
        model: the `BertEncoder`, or None.
        preprocessor: the `Preprocessor` that `embed` uses, or None.

    Attributes:
        task_name, labels, model, columns: as in `TaskBackend`.
    """

    task_name = "embedding"
    labels = None
    columns = ("embedding", "text")

    def __init__(self, embed: Callable, model=None, preprocessor: Preprocessor | None = None):
        self.embed, self.model, self.preprocessor = embed, model, preprocessor

    def predict(self, texts: Sequence, batch_size: int, top_k: int | None) -> list[dict]:
        """Return one dict per text: the text, or the pair as `texts`, and its `embedding`, a list of D numbers."""
        reject_top_k(top_k)
        are_pairs = isinstance(texts[0], tuple)
        columns = tuple(map(list, zip(*texts, strict=True))) if are_pairs else list(texts)
        vectors = self.embed(columns, batch_size)  # [N, D]
        key = "texts" if are_pairs else "text"
        return [{key: text, "embedding": row} for text, row in zip(texts, vectors.tolist(), strict=True)]

    def evaluate(self, path, batch_size: int, bootstrap: Bootstrap | None = None, **data_options) -> dict:
        """Raise InputError: an encoder has no head."""
        raise InputError("`model` must have a head to be evaluated. Received: an encoder. Train it with `kb.finetune`.")

    def cells(self, prediction: dict) -> tuple:
        """Return the values of `columns` for one prediction."""
        text = prediction["text"] if "text" in prediction else " | ".join(prediction["texts"])
        return " ".join(f"{value:.4f}" for value in prediction["embedding"]), text
