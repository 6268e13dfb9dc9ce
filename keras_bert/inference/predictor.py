"""`Predictor`: predictions on texts with every kind of model."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from keras_bert.errors import InputError
from keras_bert.inference.open_model import open_backend
from keras_bert.inference.progress import show_progress
from keras_bert.inference.text_inputs import checked_texts, texts_of
from keras_bert.metrics import make_bootstrap

if TYPE_CHECKING:  # exported models are opened without Keras
    import keras


class Predictor:
    """Batched prediction on texts with a trained model.

    It opens folders of `kb.save_pretrained`, bundled models, SavedModels that `kb.export_saved_model` wrote with text
    as input, and folders of `kb.export_onnx` (with ONNX Runtime or OpenVINO) and `kb.export_litert`. Of these, a
    SavedModel that takes text is a program: its graph is run, so open only one that you trust. One from a hub is not
    opened.

    Args:
        source: name of a bundled model such as `"sst2_sentiment"`, a folder, or another source of `kb.load_pretrained`;
            or a Keras model of this package, such as the `model` of the history that `kb.finetune` returns.
        vectorizer: of a Keras model, the `BertTextVectorization`. Default: the model's own.
        labels: of a Keras model, the names of its classes. Default: the model's own, else numbers.
        runtime: of an ONNX folder, `"onnxruntime"` or `"openvino"`. Default: OpenVINO if `dtype` is `"bfloat16"` or
            only OpenVINO is installed, otherwise ONNX Runtime. An int8 file always runs in ONNX Runtime.
        dtype: of an ONNX folder that is not int8, what it computes in: `"float32"` (default), or `"bfloat16"` with
            OpenVINO on a processor with instructions for it, which is faster and less exact.

    Call arguments:
        texts: a string; a list of N strings; a list of N (first, second) tuples for models of pairs, or (question,
            context) tuples for question answering; another container of them that `kb.finetune` takes, such as a NumPy
            array, a pandas Series, a tuple (firsts, seconds) or a finite `tf.data.Dataset`; or an iterator of strings
            or tuples, of any length.
        batch_size: number of texts per call of the model.
        top_k: also list the k most probable classes; for a pretrained model, the number of tokens per mask (default 5);
            None for models without classes.
        progress: whether to show the progress on standard error, as a bar on a terminal and otherwise as lines, about
            every 15 seconds; an int is the number of texts of an iterator.

    Returns (call):
        A list of N dicts; for an iterator, an iterator of dicts in the order of the texts, which reads `chunk_size`
        texts at a time. The keys depend on the task:

        - classification: `text` or `texts`, `label`, `probability`, `probabilities` (label to probability), and with
          `top_k` a list of `{"label", "probability"}`;
        - multi-label: `text` or `texts`, `labels`, `probabilities`;
        - regression: `text` or `texts`, `value`;
        - question answering: `question`, `answer`, `start`, `end` (indices of characters), `score`, `null_score`;
          answer, start and end are None for "no answer";
        - tags: `words`, `tags`, `entities`, a list of `{"text", "label", "start", "end"}` (indices of words, the end is
          exclusive), empty for tags that mark no entities, such as parts of speech;
        - a pretrained model, single texts with `[MASK]`: `text`, `masks`, a list of `{"predictions": [{"token",
          "probability"}]}`; pairs: as classification, with the labels `follows` and `random`, or `in order` and
          `swapped`;
        - an encoder: `text` or `texts`, `embedding`.

    Attributes:
        task: name of the task: `"classification"`, `"multi-label"`, `"regression"`, `"spans"`, `"tokens"`,
            `"features"`, the name of another registered task, `"pretraining"` or `"embedding"`.
        labels: C names in the order of the logits, or None.
        model: the Keras model; None for exported models.
        columns: column names of `cells`.
        chunk_size: number of texts that are in memory at a time.

    Texts that are longer than the model's rows are truncated, with one `InputWarning` about all of them. Question
    answering, tags and `[MASK]` use several rows for a long text instead.

    Raises:
        InputError: the source cannot be opened; `runtime` or `dtype` does not fit it, or is given for a source that is
            not an ONNX folder; the runtime is not installed; a text is empty; the texts are single texts and the model
            needs pairs, or the reverse; `top_k` is given for a model without classes.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config))
    >>> folder = kb.save_pretrained(model, tempfile.mkdtemp() + "/model", vectorizer, labels=["bad", "good"])
    >>> predictor = kb.Predictor(folder)
    >>> predictor.task, predictor.labels
    ('classification', ['bad', 'good'])
    >>> sorted(predictor("a fine film")[0])
    ['label', 'probabilities', 'probability', 'text']

    Source: `pipeline` of Hugging Face transformers.
    """

    chunk_size = 2048

    def __init__(
        self,
        source: "str | Path | keras.Model",
        vectorizer=None,
        labels=None,
        *,
        runtime: str | None = None,
        dtype: str | None = None,
    ):
        self._backend = open_backend(source, vectorizer, labels, runtime, dtype)
        self.task = self._backend.task_name
        self.labels = self._backend.labels
        self.model = self._backend.model
        self.columns = self._backend.columns

    def __call__(
        self, texts, batch_size: int = 64, top_k: int | None = None, progress: bool | int = False
    ) -> list[dict] | Iterator[dict]:
        for name, value in (("batch_size", batch_size), ("top_k", top_k)):
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be at least 1. Received: {name}={value}")
        texts = texts_of(texts)
        if not hasattr(texts, "__len__"):
            total = progress if not isinstance(progress, bool) else None
            return self._predict(texts, batch_size, top_k, bool(progress), total)
        return list(self._predict(texts, batch_size, top_k, bool(progress), len(texts)))

    def evaluate(
        self,
        path: str | Path,
        batch_size: int = 64,
        *,
        bootstrap: int = 0,
        seed: int = 0,
        skip_malformed: bool = False,
        tag_column: str | int | None = None,
    ) -> dict:
        """Compute the metrics of the model's task on a file of labeled examples.

        Args:
            path: a table with a header line and the columns sentence and label (or two texts and a label); for question
                answering a SQuAD file, for tags a file in columns.
            batch_size: number of texts per call of the model.
            bootstrap, seed: number of resamples for intervals, and their seed, see `kb.evaluate`.
            skip_malformed: whether to skip malformed lines, and warn about their number, in place of an error.
            tag_column: for tags, name or number of the column of the tags, see `load_conll`.

        Returns:
            A dict that can be written as JSON, with `examples`; see `kb.evaluate`. `kb.format_metrics` shows it as a
            table.

        Raises:
            InputError: the file cannot be read or does not fit the model; `bootstrap` is not 0 for a task without
                intervals, or another option is given for a task that does not have it.
        """
        options = {"skip_malformed": skip_malformed, "tag_column": tag_column}
        metrics = self._backend.evaluate(path, batch_size, make_bootstrap(bootstrap, seed), **options)
        self._backend.warn_of_long_texts()
        return metrics

    def cells(self, prediction: dict) -> tuple:
        """Return the values of `columns` for one prediction, to show it in a table."""
        return self._backend.cells(prediction)

    def _predict(
        self, texts: Iterable, batch_size: int, top_k: int | None, progress: bool, total: int | None
    ) -> Iterator[dict]:
        remaining = checked_texts(texts)
        with show_progress("predicting", "texts", total, progress) as advance:
            while chunk := list(itertools.islice(remaining, self.chunk_size)):
                yield from self._backend.predict(chunk, batch_size, top_k)
                advance(len(chunk))
        self._backend.warn_of_long_texts()
