"""SavedModels from text to probabilities or features."""

import tempfile
from pathlib import Path

from keras_bert.export.extra_outputs import layer_outputs
from keras_bert.export.length_buckets import run_length_bucketed
from keras_bert.export.text_inputs import max_sequence_length, serving_ids, tokenize
from keras_bert.models.pooling import has_trained_pooler, pool_outputs
from keras_bert.weights.formats.keras_folder import check_labels
from keras_bert.weights.formats.saved_model_writer import write_saved_model
from keras_bert.weights.formats.text_saved_model import add_model_assets


class TextModel:
    """The functions of text that a SavedModel contains, for a model and its vectorizer.

    Args:
        model: a classifier or an encoder.
        vectorizer: its `BertTextVectorization`.
        max_text_length: see `export_saved_model`.
        outputs: further outputs of `encode`, see `export_saved_model`.
    """

    def __init__(self, model, vectorizer, max_text_length: int | None = None, outputs: tuple[str, ...] = ()):
        self.model, self.encoder = model, getattr(model, "encoder", model)
        self.run_layers = layer_outputs(self.encoder, outputs)
        self.vectorizer, self.max_text_length = vectorizer, max_text_length
        self.max_length = max_sequence_length(vectorizer, self.encoder)

    def tokenize(self, text) -> dict:
        """Compute the inputs of the encoder, `[B, T]` each, padded to the longest text."""
        return serving_ids(self.vectorizer, text, self.max_length, self.max_text_length)

    def encode(self, text) -> dict:
        """Compute the outputs of the encoder for all tokens."""
        import tensorflow as tf

        outputs, extra = self.run_layers(self.tokenize(text))
        found = {name: outputs[name] for name in ("pooled_output", "sequence_output") if name in outputs} | extra
        return {name: tf.cast(value, tf.float32) for name, value in found.items()}

    def pooler(self, text) -> dict:
        """Compute the output of the pooler, from the first position alone."""
        import tensorflow as tf

        def pool_first_token(ids):
            first = tf.zeros((tf.shape(ids["input_word_ids"])[0], 1), tf.int32)  # [R, 1]
            return self.encoder.pooler(self.encoder(ids, training=False, positions=first))  # [R, H]

        return {"pooled_output": self.run(text, pool_first_token, self.encoder.config.hidden_size)}

    def embedding(self, text, pool: str, normalize: bool) -> dict:
        """Compute one vector per text, see `pool_outputs`."""

        def embed(ids):
            outputs = self.encoder(ids, training=False)
            return pool_outputs(outputs, ids["input_mask"], pool, normalize)  # [R, D]

        size = self.encoder.config.hidden_size * (4 if pool == "last4" else 1)
        return {"embedding": self.run(text, embed, size)}

    def mean(self, text) -> dict:
        """Compute the mean over the tokens of each text."""
        return self.embedding(text, "mean", False)

    def run(self, text, function, columns: int):
        """Apply a function of the three encoder inputs to texts, bucketed by length; return float32 `[B, C]`."""
        import tensorflow as tf

        return run_length_bucketed(
            lambda ids: tf.cast(function(ids), tf.float32),
            columns,
            tokenize(self.vectorizer, text, self.max_text_length),
            self.vectorizer.pack,
            self.max_length,
        )

    def write(self, path, functions: dict, labels: list[str] | None = None, **settings) -> Path:
        """Write the SavedModel: `functions` (name to function of text), `tokenize`, `encode` and `pool`.

        With `labels`, the signature `labels` returns them. Two assets contain what `kb.load_pretrained` needs to
        build the model again: its config with `labels` and `settings`, and the vocabulary.
        """
        import tensorflow as tf

        pool = self.pooler if has_trained_pooler(self.encoder) else self.mean
        functions = {"tokenize": self.tokenize, "encode": self.encode, "pool": pool, **functions}
        text = tf.TensorSpec([None], tf.string, name="text")
        root = tf.train.Checkpoint()
        root.weights = [weight.value for weight in self.model.weights]
        root.vectorizer = self.vectorizer  # a SavedModel finds lookup tables through the object that owns them
        signatures = {
            name: tf.function(function, input_signature=[text], autograph=False).get_concrete_function()
            for name, function in functions.items()
        }
        if labels is not None:
            names = tf.function(lambda: {"labels": tf.constant(labels)}, input_signature=[])  # [C]
            signatures["labels"] = names.get_concrete_function()
        with tempfile.TemporaryDirectory() as folder:
            add_model_assets(root, Path(folder), self.model, self.vectorizer, labels, **settings)
            return write_saved_model(root, path, signatures)


def export_classifier(
    classifier, path, vectorizer, labels=None, max_text_length: int | None = None, outputs: tuple[str, ...] = ()
) -> Path:
    """Write a classifier and its vectorizer as a SavedModel: from text to probabilities, with the encoder's signatures.

    `export_saved_model` documents the signatures and the arguments.
    """
    import tensorflow as tf

    labels = check_labels(classifier, labels) or [str(index) for index in range(classifier.num_classes)]
    has_classes = classifier.problem_type != "regression"
    text_model = TextModel(classifier, vectorizer, max_text_length, outputs)

    def serve(text):
        logits = text_model.run(text, lambda ids: classifier(ids, training=False), classifier.num_classes)  # [B, C]
        if not has_classes:
            return {"numbers": logits}
        if classifier.problem_type == "multi_label":
            return {"probabilities": tf.sigmoid(logits), "logits": logits}  # [B, C]
        return {
            "probabilities": tf.nn.softmax(logits),  # [B, C]
            "logits": logits,  # [B, C]
            "label": tf.gather(tf.constant(labels), tf.argmax(logits, axis=-1)),  # [B]
        }

    return text_model.write(path, {"serving_default": serve}, labels if has_classes else None)


def export_encoder(
    encoder,
    path,
    vectorizer,
    pool: str | None = None,
    normalize: bool = False,
    max_text_length: int | None = None,
    outputs: tuple[str, ...] = (),
) -> Path:
    """Write an encoder and its vectorizer as a SavedModel: from text to features.

    `export_saved_model` documents the signatures and the arguments.
    """
    text_model = TextModel(encoder, vectorizer, max_text_length, outputs)

    def embed(text):
        return text_model.embedding(text, pool, normalize)

    functions = {"serving_default": embed, "pool": embed} if pool else {"serving_default": text_model.encode}
    return text_model.write(path, functions, pool=pool, normalize=normalize)
