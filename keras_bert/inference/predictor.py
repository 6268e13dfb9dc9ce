"""What a model says of texts, by a trained folder or by an exported SavedModel."""

from pathlib import Path

import numpy as np

from keras_bert.data import select
from keras_bert.errors import InputError

BATCH = 64
CLASSIFIERS = ("classifier", "feature_classifier")
KINDS = {"span_labeler": "spans", "token_classifier": "tokens"}
PROBLEM_TYPES = {"single_label": "classification", "multi_label": "multi-label", "regression": "regression"}


class Predictor:
    """A model for a task that takes texts, whichever of its two forms is in a folder.

    Args:
        folder: what `save_pretrained` wrote of a model for a task or of a pretrainer with a sentence task (a classifier
            of pairs then), or what `export_saved_model` wrote of a classifier.

    Attributes:
        trained: the `Pretrained`, or None for an exported one.
        task: `"classification"`, `"multi-label"`, `"regression"`, `"spans"` or `"tokens"`.
        names: of the classes, in the order of the logits; None where an exported model does not tell them.

    Raises:
        InputError: the folder holds neither.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.trained, self.names, self.task = None, None, "classification"
        if (self.folder / "saved_model.pb").is_file():
            self._batch = self._exported()
        else:
            self._batch = self._of_trained()

    def _of_trained(self):
        from keras_bert.inference import predict_logits
        from keras_bert.weights import load_pretrained

        trained = self.trained = load_pretrained(self.folder)
        if trained.kind == "pretrainer":
            return self._of_pretrainer()
        if trained.kind not in (*CLASSIFIERS, *KINDS):
            raise InputError(f"a fine-tuned model is expected. Received: {trained.kind}, of {self.folder}")
        self.task = PROBLEM_TYPES[trained.model.problem_type] if trained.kind in CLASSIFIERS else KINDS[trained.kind]
        if self.task != "spans":
            self.names = trained.labels or [str(i) for i in range(trained.model.num_classes)]

        def batch(texts):
            self.check_pairs(texts)
            logits = predict_logits(trained.model, trained.vectorizer(texts), batch_size=BATCH)
            return logits, [self.names[best] for best in logits.argmax(-1)]

        return batch

    def _of_pretrainer(self):
        from keras_bert.tasks.sentence_pairs import class_names, predict_sentence_pairs

        self.names = list(class_names(self.trained))

        def batch(texts):
            if not isinstance(texts, tuple):
                raise InputError(
                    "a pretrainer judges pairs, two texts with a tab between. Received: single texts, "
                    f"with {self.folder}"
                )
            logits = predict_sentence_pairs(self.trained, *texts)
            return logits, [self.names[best] for best in logits.argmax(-1)]

        return batch

    def _exported(self):
        import tensorflow as tf

        loaded = tf.saved_model.load(str(self.folder))
        serve = loaded.signatures.get("serving_default")
        takes = serve.structured_input_signature[1] if serve is not None else {}
        gives = serve.structured_outputs if serve is not None else {}
        if set(takes) != {"text"} or not {"logits", "label"} <= set(gives):
            raise InputError(f"an exported classifier takes text and gives logits and label. Received: {self.folder}")

        def batch(texts):
            if isinstance(texts, tuple):
                raise InputError(f"an exported classifier takes single texts. Received: pairs, with {self.folder}")
            out = loaded.signatures["serving_default"](text=tf.constant(texts))
            return out["logits"].numpy(), [label.decode() for label in out["label"].numpy()]

        return batch

    def check_pairs(self, texts) -> None:
        """InputError if a classifier of pairs is asked of single texts, or the reverse, as far as its folder says."""
        pairs = self.trained.pairs
        if pairs is not None and pairs != isinstance(texts, tuple):
            kinds = ("single texts", "pairs")
            raise InputError(
                f"the model in {self.folder} was trained on {kinds[pairs]}; a tab stands between the texts of a pair. "
                f"Received: {kinds[not pairs]}"
            )

    @property
    def reader(self):
        """How the trained model's texts become rows."""
        from keras_bert.tasks.preprocessor import Preprocessor

        return Preprocessor.of(self.trained)

    def __call__(self, texts) -> tuple[np.ndarray, list[str]]:
        """What a classifier says of texts.

        Args:
            texts: N strings, or two lists of them.

        Returns:
            Logits, float32 `[N, C]`, and the N names of the likeliest classes.
        """
        count = len(texts[0] if isinstance(texts, tuple) else texts)
        parts = [self._batch(select(texts, range(i, min(i + BATCH, count)))) for i in range(0, count, BATCH)]
        return np.concatenate([logits for logits, _ in parts]), [name for _, names in parts for name in names]


def softmax(logits: np.ndarray) -> np.ndarray:
    """The probabilities of each row of logits, float `[N, C]`.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def as_pairs(texts: list[str]):
    """Texts as a model takes them: those with a tab are pairs, all of them or none.

    Raises:
        InputError: some have a tab and some have none, one has two, or a part is empty.
    """
    parts = [text.split("\t") for text in texts]
    if all(len(part) == 1 for part in parts):
        return texts
    for part in parts:
        wrong = {1: "texts of both kinds", 2: None}.get(len(part), f"{len(part) - 1} tabs in one text")
        if not all(text.strip() for text in part):
            wrong = "an empty one"
        if wrong:
            raise InputError(f"a pair is two texts with a tab between, and then all are pairs. Received: {wrong}")
    return [first for first, _ in parts], [second for _, second in parts]
