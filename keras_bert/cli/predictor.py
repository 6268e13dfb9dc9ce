"""Texts to class probabilities, by a trained folder or by an exported SavedModel."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError

BATCH = 64


class Predictor:
    """A classifier that takes texts, whichever of its two forms is in a folder.

    Args:
        folder: what `save_pretrained` wrote of a classifier, or what `export_saved_model` wrote of one (text in).

    Raises:
        InputError: the folder holds neither.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        exported = (self.folder / "saved_model.pb").is_file()
        self.classes, self._batch = self._exported() if exported else self._trained()

    def _trained(self):
        from keras_bert.training import predict_logits
        from keras_bert.weights import load_pretrained

        trained = load_pretrained(self.folder)
        if trained.kind != "classifier":
            raise InputError(f"a fine-tuned classifier is expected. Received: {self.folder} with a {trained.kind}")
        names = trained.labels or [str(i) for i in range(trained.model.num_classes)]

        def batch(texts):
            logits = predict_logits(trained.model, trained.vectorizer(texts), batch_size=BATCH)
            return logits, [names[best] for best in logits.argmax(-1)]

        return len(names), batch

    def _exported(self):
        import tensorflow as tf

        loaded = tf.saved_model.load(str(self.folder))
        serve = loaded.signatures.get("serving_default")
        takes = serve.structured_input_signature[1] if serve is not None else {}
        gives = serve.structured_outputs if serve is not None else {}
        if set(takes) != {"text"} or not {"logits", "label"} <= set(gives):
            raise InputError(f"an exported classifier takes text and gives logits and label. Received: {self.folder}")

        def batch(texts):
            out = loaded.signatures["serving_default"](text=tf.constant(texts))
            return out["logits"].numpy(), [label.decode() for label in out["label"].numpy()]

        return gives["logits"].shape[-1], batch

    def __call__(self, texts: list[str]) -> tuple[np.ndarray, list[str]]:
        """The classes of texts.

        Args:
            texts: N strings.

        Returns:
            Logits, float32 `[N, C]`, and the N names of the likeliest classes.
        """
        parts = [self._batch(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
        return np.concatenate([logits for logits, _ in parts]), [name for _, names in parts for name in names]


def softmax(logits: np.ndarray) -> np.ndarray:
    """The probabilities of each row of logits, float `[N, C]`.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)
