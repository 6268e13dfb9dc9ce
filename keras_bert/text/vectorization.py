"""The text vectorization layer: strings to the three model inputs."""

from pathlib import Path

import keras

from keras_bert import keras_internals
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.text.adaptation import DEFAULT_MAX_TOKENS, check_max_tokens, iterate_texts
from keras_bert.text.added_tokens import check_added_tokens
from keras_bert.text.model_inputs import check_sequence_length
from keras_bert.text.offset_methods import OffsetMethods
from keras_bert.text.offsets import check_normalized_tokens
from keras_bert.text.pretrained import FromPretrained
from keras_bert.text.splitting import MAX_WORD_LENGTH, SETTINGS, Splitting
from keras_bert.text.strings import string_tensor
from keras_bert.text.token_graph import TokenGraph
from keras_bert.text.token_methods import TokenMethods
from keras_bert.text.vocabulary import check_vocabulary, learn_vocabulary, load_vocabulary


@keras.saving.register_keras_serializable(package="keras_bert")
class BertTextVectorization(FromPretrained, TokenMethods, OffsetMethods, keras.layers.Layer):
    """Layer that maps texts to `input_word_ids`, `input_mask` and `input_type_ids`.

    The token ids equal those of the original BERT tokenizer on every string. The layer is a
    `keras.layers.TextVectorization` with WordPiece as its `split` function. It consists of core TensorFlow operations,
    so it works in `tf.data`, inside a model, and in a SavedModel without custom operations. On the JAX and PyTorch
    backends, it runs eagerly or in `tf.data`.

    Args:
        vocabulary: str, path, list of str or None. The path of a `vocab.txt` file with one token per line, or the list
            of its V tokens. The id of a token is its line number, from 0. With None, `adapt` learns the vocabulary.
        lowercase: bool. Lowercase the text and strip accents: True for the uncased models, False for the cased ones.
            Defaults to `True`.
        sequence_length: int or None. T, the length of every row; longer texts are truncated, shorter ones are padded
            with [PAD]. None pads to the longest row of each batch. Defaults to `128`.
        special_tokens: bool. Parse `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` in a text as special tokens. Use
            False for untrusted text, which could otherwise insert a separator. Defaults to `False`.
        added_tokens: list of str. Tokens such as `"[E1]"` that stay whole wherever a text contains exactly these
            characters, also inside a word and with `lowercase`. A token that the vocabulary has, such as `[unused0]`,
            keeps its id; any other is appended to the vocabulary, and the encoder must have as many tokens: use
            `encoder.resize_token_embeddings(len(vectorizer))`. Defaults to `()`.
        max_tokens: int or None. The largest V that `adapt` learns, added tokens included. None stands for 30,522, the
            size of BERT's vocabulary. Defaults to `None`.
        strip_accents: bool or None. Remove accents; None does so with `lowercase` only. Defaults to `None`.
        split_on_cjk: bool. Make each Chinese character a word. Defaults to `True`.
        max_word_length: int. A word of more characters becomes [UNK]: 200 in the original code, 100 in Hugging Face's
            tokenizers. Defaults to `200`.
        normalized_tokens: list of str. Those of `added_tokens` that match the normalized text: with `lowercase`,
            `"[e1]"` then also matches `"[E1]"`. Defaults to `()`.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: strings `[B]` or `[B, 1]` (a list, a NumPy array or a tensor), or a tuple `(first, second)` of them for
            pairs of texts. One string gives outputs of shape `[T]`. Bytes that are not UTF-8 are ignored.
        sequence_length: T of this call; None for that of the layer.

    Returns:
        A dict of three int32 tensors `[B, T]`:
        - `input_word_ids`: token ids of `[CLS] text [SEP]`, or of `[CLS] first [SEP] second [SEP]`, padded;
        - `input_mask`: 1 for tokens, 0 for padding;
        - `input_type_ids`: 1 for the second text and its [SEP], otherwise 0.

    Raises:
        InputError: the vocabulary is not valid (see `load_vocabulary`), `sequence_length` is below 3, an added token
            contains white space, a normalized token is no added token, or `inputs` are not strings; on call, if there
            is no vocabulary yet.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "!"]
    >>> vectorizer = BertTextVectorization(vocabulary, sequence_length=8)
    >>> inputs = vectorizer(["A fine film!", "Films"])
    >>> print(keras.ops.convert_to_numpy(inputs["input_word_ids"]))
    [[2 5 6 7 9 3 0 0]
     [2 7 8 3 0 0 0 0]]

    Source: github.com/google-research/bert, tokenization.py and run_classifier.py; the output names are those
    of TF-Hub's `bert_en_uncased_preprocess/3`.
    """

    def __init__(
        self,
        vocabulary: str | Path | list[str] | None = None,
        lowercase: bool = True,
        sequence_length: int | None = 128,
        special_tokens: bool = False,
        added_tokens: list[str] = (),
        max_tokens: int | None = None,
        strip_accents: bool | None = None,
        split_on_cjk: bool = True,
        max_word_length: int = MAX_WORD_LENGTH,
        normalized_tokens: list[str] = (),
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_tensorflow("the tokenization of texts")
        keras_internals.keep_inputs(self)  # Keras must not convert strings to numbers,
        self.supports_jit = False  # nor compile them with XLA
        self.built = True

        check_sequence_length(sequence_length)
        self.lowercase = bool(lowercase)
        self.sequence_length = sequence_length
        self.special_tokens = bool(special_tokens)
        self.added_tokens = tuple(check_added_tokens(added_tokens))
        self.splitting = Splitting(strip_accents, split_on_cjk, max_word_length, normalized_tokens)
        check_normalized_tokens(self.splitting, self.lowercase, self.added_tokens)
        self.max_tokens = check_max_tokens(max_tokens, len(self.added_tokens))
        self._tokens = self._graph = None
        if isinstance(vocabulary, str | Path):
            self._set_vocabulary(load_vocabulary(vocabulary))
        elif vocabulary is not None:
            self._set_vocabulary(check_vocabulary(list(vocabulary)))

    def _set_vocabulary(self, vocabulary: list[str]) -> None:
        known = set(vocabulary)
        vocabulary = vocabulary + [token for token in self.added_tokens if token not in known]
        if len(vocabulary) > (self.max_tokens or len(vocabulary)):
            size = f"at least {len(vocabulary)}, the size of the vocabulary"
            raise InputError(f"`max_tokens` must be None or {size}. Received: max_tokens={self.max_tokens}")
        self._graph = TokenGraph(vocabulary, self.lowercase, self.whole_tokens, self.sequence_length, self.splitting)
        self._tokens = tuple(vocabulary)
        # Tracked as attributes, so that a SavedModel includes the tables.
        self._lookup, self._tables = self._graph.lookup, self._graph.tables

    def adapt(self, data, steps: int | None = None) -> None:
        """Learn the WordPiece vocabulary from texts, see `kb.learn_vocabulary`.

        Args:
            data: a list, an array or a tensor of strings, a `tf.data.Dataset` of strings or of batches, or any iterable
                of them.
            steps: the number of elements to take from an iterable that does not end. None takes all.

        Raises:
            InputError: the layer has a vocabulary already, since compiled functions keep that; or `data` are not
                strings, or have no words.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(max_tokens=30, sequence_length=8)
        >>> vectorizer.adapt(["a fine film", "fine films"])
        >>> len(vectorizer) <= 30, vectorizer.detokenize(vectorizer.tokenize("A film"))
        (True, 'a film')

        Source: `adapt` of `keras.layers.TextVectorization`.
        """
        if self._tokens is not None:
            raise InputError(
                "`adapt` must be called once, on a layer that was created without a vocabulary. "
                f"Received: a layer with {len(self)} tokens. Create a new BertTextVectorization."
            )
        size = (self.max_tokens or DEFAULT_MAX_TOKENS) - len(self.added_tokens)
        texts = iterate_texts(data, steps, self.whole_tokens)
        self._set_vocabulary(learn_vocabulary(texts, size, self.lowercase, self.splitting))

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, list) and inputs and all(isinstance(each, keras.KerasTensor) for each in inputs):
            inputs = tuple(inputs)  # Keras loads a saved pair of inputs as a list
        # Convert lists to tensors first: Keras would treat every string of a list as a separate input.
        if isinstance(inputs, tuple):
            if len(inputs) != 2:
                raise InputError(
                    f"`inputs` must be texts or a tuple (first, second). Received: a tuple of {len(inputs)} elements"
                )
            return super().__call__(tuple(map(string_tensor, inputs)), *args, **kwargs)
        return super().__call__(string_tensor(inputs), *args, **kwargs)

    def call(self, inputs, sequence_length: int | None = None):
        import tensorflow as tf

        self._required_tokens()
        check_sequence_length(sequence_length)
        texts = inputs if isinstance(inputs, tuple) else (inputs,)
        if not texts[0].shape.is_compatible_with(texts[-1].shape):
            raise InputError(
                "`inputs` must have the same number of first and second texts. "
                f"Received: shapes {texts[0].shape} and {texts[-1].shape}"
            )
        with tf.device("CPU:0"):
            flat = [tf.reshape(each, [-1]) for each in texts]
            graph = self._graph
            packed = graph.encode(*flat) if sequence_length is None else graph.encode_to(sequence_length, *flat)
            if texts[0].shape.rank == 0:
                packed = {name: value[0] for name, value in packed.items()}
        if keras.backend.backend() != "tensorflow" and tf.executing_eagerly():
            return {name: keras.ops.convert_to_tensor(value.numpy()) for name, value in packed.items()}
        return packed

    def tokenize(self, texts):
        """Compute token ids without [CLS], [SEP] and padding.

        Args:
            texts: strings `[B]`, or one string.

        Returns:
            int32 `tf.RaggedTensor` `[B, (tokens)]`; for one string a `tf.Tensor` `[tokens]`.

        Raises:
            InputError: `texts` are not strings.

        Example:

        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"]
        >>> BertTextVectorization(vocabulary).tokenize(["a film", "films"]).to_list()
        [[5, 6], [6, 7]]
        """
        import tensorflow as tf

        self._required_tokens()
        with tf.device("CPU:0"):
            texts = string_tensor(texts)
            ids = self._graph.tokenize(tf.reshape(texts, [-1]))
            return ids[0] if texts.shape.rank == 0 else ids

    def compute_output_spec(self, inputs, sequence_length: int | None = None):
        check_sequence_length(sequence_length)
        shape = tuple((inputs[0] if isinstance(inputs, tuple) else inputs).shape)
        if len(shape) == 2 and shape[1] == 1:
            shape = shape[:1]
        shape = (*shape, sequence_length or self.sequence_length)
        return {name: keras.KerasTensor(shape, dtype="int32", name=name) for name in INPUT_KEYS}

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary": None if self._tokens is None else self.get_vocabulary(),
            "lowercase": self.lowercase,
            "sequence_length": self.sequence_length,
            "special_tokens": self.special_tokens,
            "added_tokens": list(self.added_tokens),
            "max_tokens": self.max_tokens,
            **SETTINGS,
            **self.splitting.changes(),
        }
