"""The methods of the vectorizer that map tokens to ids, ids to tokens, texts or model inputs."""

import functools

import keras
import numpy as np

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.detokenization import Detokenizer, check_ids
from keras_bert.text.model_inputs import check_sequence_length, pack


def _special_id(token: str) -> property:
    return property(lambda self: self.token_to_id(token), doc=f"The id of `{token}`.")


class TokenMethods:
    """Base class of `BertTextVectorization`, which sets `added_tokens`, `special_tokens` and `_tokens`."""

    pad_id, unk_id, cls_id, sep_id, mask_id = map(_special_id, SPECIAL_TOKENS)

    @property
    def whole_tokens(self) -> list[str]:
        """The tokens that stay whole in a text: the added tokens and, with `special_tokens`, those of BERT."""
        return [*self.added_tokens, *(SPECIAL_TOKENS if self.special_tokens else ())]

    def get_vocabulary(self) -> list[str]:
        """Return the tokens in the order of their ids, added tokens included."""
        return list(self._required_tokens())

    def vocabulary_size(self) -> int:
        """Return V, the number of tokens, added tokens included. `len(vectorizer)` is the same."""
        return len(self._required_tokens())

    def __len__(self) -> int:
        return self.vocabulary_size()

    def __bool__(self) -> bool:
        return True  # without it, `if vectorizer:` would call `__len__`

    def token_to_id(self, token):
        """Return the id of a token, or the ids of a list of tokens.

        Args:
            token: str, or a list of str, which may be nested.

        Returns:
            int, or a list of the same structure.

        Raises:
            InputError: a token is not a string or not in the vocabulary.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"])
        >>> vectorizer.token_to_id("film"), vectorizer.token_to_id(["film", "##s"])
        (5, [5, 6])

        Source: `token_to_id` of KerasHub's `WordPieceTokenizer`; the lists as in Hugging Face's
        `convert_tokens_to_ids`.
        """
        if isinstance(token, list | tuple | np.ndarray):
            return [self.token_to_id(each) for each in token]
        if not isinstance(token, str) or token not in self._token_ids:
            raise InputError(
                f"`token` must be in the vocabulary. Received: token={token!r:.60}. A word may consist of several "
                "tokens: use `tokenize`."
            )
        return self._token_ids[token]

    def id_to_token(self, token_id):
        """Return the token of an id, or the tokens of several ids.

        Args:
            token_id: an integer in 0 … V - 1, or a list, an array or a tensor of them.

        Returns:
            str, or a list of the same structure.

        Raises:
            InputError: an id is not an integer or not in the vocabulary.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
        >>> vectorizer.id_to_token(5), vectorizer.id_to_token([[2, 5, 3]])
        ('film', [['[CLS]', 'film', '[SEP]']])

        Source: `id_to_token` of KerasHub's `WordPieceTokenizer`; the lists as in Hugging Face's
        `convert_ids_to_tokens`.
        """
        if hasattr(token_id, "to_list"):  # tf.RaggedTensor
            token_id = token_id.to_list()
        if isinstance(token_id, list | tuple):
            return [self.id_to_token(each) for each in token_id]
        if not isinstance(token_id, int):
            if keras.ops.is_tensor(token_id):
                token_id = keras.ops.convert_to_numpy(token_id)
            array = np.asarray(token_id)
            if array.ndim:
                return [self.id_to_token(each) for each in array]
            check_ids(array, len(self), "token_id")
            token_id = int(array)
        if isinstance(token_id, bool) or not 0 <= token_id < len(self):
            raise InputError(f"`token_id` must be in 0 … {len(self) - 1}. Received: token_id={token_id!r}")
        return self._tokens[token_id]

    def detokenize(self, ids, skip_special_tokens: bool = False, clean_up_tokenization_spaces: bool = False):
        """Join the tokens of ids into texts.

        The words are joined with single spaces: capitals, accents and the spaces of the original text are lost.

        Args:
            ids: integers `[N]` of one text, or `[B, T]` or `[B, (tokens)]` of several: a list, an array, a tensor or a
                `tf.RaggedTensor`, for example a result of `tokenize`, or the `input_word_ids` of a call.
            skip_special_tokens: leave out `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`. Added tokens are kept.
            clean_up_tokenization_spaces: remove the spaces before `.`, `?`, `!` and `,` and in English contractions.

        Returns:
            One str for `[N]`, otherwise a list of B str. Inside `tf.data` or another TensorFlow graph, a string tensor
            `[]` or `[B]`.

        Raises:
            InputError: `ids` are not integers of one of these shapes, or an id is not in the vocabulary.

        Example:

        >>> import keras_bert as kb
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s", "!"]
        >>> vectorizer = kb.BertTextVectorization(vocabulary)
        >>> vectorizer.detokenize(vectorizer.tokenize("Films!"))
        'films !'
        >>> ids = vectorizer(["Films!"])["input_word_ids"]
        >>> vectorizer.detokenize(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)
        ['films!']

        Source: `detokenize` of KerasHub's `WordPieceTokenizer`; the two options are those of Hugging Face's `decode`.
        """
        return self._detokenizer(ids, bool(skip_special_tokens), bool(clean_up_tokenization_spaces))

    def pack(self, segments, sequence_length=None):
        """Add [CLS] and [SEP] to token ids, truncate and pad them, with TensorFlow operations.

        Args:
            segments: one or two int32 `tf.RaggedTensor`s `[B, (tokens)]`, the results of `tokenize`.
            sequence_length: T, an int or a scalar int32 tensor; None for the longest row of the batch.

        Returns:
            A dict of three int32 `tf.Tensor`s `[B, T]`, as for a call.

        Raises:
            InputError: there are not one or two segments, or the length is below 3.
        """
        import tensorflow as tf

        if not tf.is_tensor(sequence_length):
            check_sequence_length(sequence_length)
        return pack(segments, sequence_length, self.cls_id, self.sep_id, self.pad_id)

    def _required_tokens(self) -> tuple[str, ...]:
        """Return the tokens; raise InputError if there is no vocabulary yet."""
        if self._tokens is None:
            raise InputError(
                "`vocabulary` must be given, or learned with `adapt(texts)`, before the layer is used. "
                "Received: vocabulary=None"
            )
        return self._tokens

    @functools.cached_property
    def _token_ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.get_vocabulary())}

    @functools.cached_property
    def _detokenizer(self) -> Detokenizer:
        return Detokenizer(self.get_vocabulary())
