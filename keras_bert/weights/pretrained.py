"""The result of `load_pretrained`: a model with its vocabulary and labels."""

import functools

from keras_bert.text.splitting import ORIGINAL


class Pretrained:
    """Pretrained model with its vocabulary, labels and settings, the result of `load_pretrained`.

    Attributes:
        model: the `BertEncoder`, or the task model that contains one.
        kind: `"encoder"`, `"pretrainer"`, `"classifier"`, `"feature_classifier"`, `"span_labeler"` or
            `"token_classifier"`.
        labels: names of the classes in the order of the logits, or None.
        vocabulary: list of tokens, in the order of their ids.
        lowercase: whether text is converted to lower case before tokenization.
        sequence_length: T, to which texts are truncated or padded; None for the longest row of the batch.
        path: the folder or the handle.
        pairs: of a classifier, whether it was trained on pairs of texts; None if unknown.
        no_answer: of a span labeler, whether its training data had questions without an answer; None if unknown.
        added_tokens: tokens of the vocabulary that stay whole in a text.
        splitting: the settings of the tokenizer that differ from those of the original code.
        pool: of a sentence model, how it pools the vectors of a text's tokens, as in `kb.embed`; None if unknown.
        normalize: of a sentence model, whether its vectors have the length 1.
        spare_tokens: names of the token embeddings for which the source has no token; the last tokens of `vocabulary`.
        skipped: names of what the source contains and was not read, such as the slots of an optimizer.
    """

    def __init__(
        self,
        model,
        kind,
        labels,
        vocabulary,
        lowercase,
        sequence_length,
        path,
        pairs=None,
        no_answer=None,
        added_tokens=(),
        splitting=ORIGINAL,
        skipped=(),
        spare_tokens=(),
        pool=None,
        normalize=False,
    ):
        self.model = model
        self.kind = kind
        self.labels = labels
        self.vocabulary = vocabulary
        self.lowercase = lowercase
        self.sequence_length = sequence_length
        self.path = path
        self.pairs = pairs
        self.no_answer = no_answer
        self.added_tokens, self.splitting, self.skipped = list(added_tokens), splitting, list(skipped)
        self.spare_tokens = list(spare_tokens)
        self.pool, self.normalize = pool, normalize
        # So that the model can be trained, evaluated and saved without its vectorizer and labels.
        self.encoder.vectorizer = functools.partial(
            _new_vectorizer, vocabulary, lowercase, sequence_length, self.added_tokens, splitting
        )
        if kind != "encoder":
            model.labels, model.pairs, model.no_answer = labels, pairs, no_answer

    @property
    def encoder(self):
        """The `BertEncoder`: `model` itself, or the encoder that it contains."""
        return self.model if self.kind == "encoder" else self.model.encoder

    def new_pretrainer(self, sentence_task: str | None = "next", dropout: float | None = None, dtype=None):
        """Build a new `BertPretrainer` with these weights, for further pretraining.

        A head that this model does not have is initialized at random.

        Args:
            sentence_task: as in `BertPretrainer`.
            dropout: as in `BertEncoder.copy`.
            dtype: as in `BertEncoder.copy`.

        Returns:
            A `BertPretrainer`.
        """
        from keras_bert.models import BertPretrainer

        pretrainer = BertPretrainer(self.encoder.copy(dropout, dtype), sentence_task)
        for name in ("mlm_head", "nsp_head", "sop_head"):
            old, new = getattr(self.model, name, None), getattr(pretrainer, name)
            if old is not None and new is not None:
                new.set_weights(old.get_weights())
        return pretrainer

    @property
    def vectorizer(self):
        """The `BertTextVectorization`, created at first use, because it needs TensorFlow and the model does not."""
        return self.encoder.vectorizer


def _new_vectorizer(vocabulary, lowercase, sequence_length, added_tokens, splitting):
    from keras_bert.text.vectorization import BertTextVectorization

    return BertTextVectorization(
        vocabulary,
        lowercase=lowercase,
        sequence_length=sequence_length,
        added_tokens=added_tokens,
        **splitting.changes(),
    )
