"""The methods of the vectorizer that compute the places of tokens in a text."""

import functools

import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.model_inputs import check_sequence_length, pack
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.strings import string_tensor


class OffsetMethods:
    """Base class of `BertTextVectorization`, which has a vocabulary, `lowercase` and `whole_tokens`."""

    def tokenize_with_offsets(self, texts):
        """Compute token ids, and the place of each token in its text.

        It runs in Python, one text at a time, so not inside `tf.data`.

        Args:
            texts: strings `[B]`, or one string.

        Returns:
            Three int32 `tf.RaggedTensor`s `[B, (tokens)]`; for one string three `tf.Tensor`s `[tokens]`:
            - the ids, equal to those of `tokenize`;
            - the index of each token's first character in the text;
            - the index after its last character.

        Raises:
            InputError: `texts` are not strings, or are symbolic tensors of a graph.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s"])
        >>> text = "Two Cafés"
        >>> ids, starts, ends = vectorizer.tokenize_with_offsets(text)
        >>> [text[start:end] for start, end in zip(starts.numpy(), ends.numpy())]
        ['Two', 'Café', 's']

        Source: `tokenize_with_offsets` of TensorFlow Text, which counts bytes.
        """
        import tensorflow as tf

        texts = string_tensor(texts)
        if not hasattr(texts, "numpy"):
            raise InputError(
                "`texts` must have values when offsets are computed. Received: a symbolic tensor. Compute offsets "
                "outside of `tf.data` and compiled functions."
            )
        with tf.device("CPU:0"):
            rows = [self._offset_tokenizer(text.decode("utf-8", "ignore")) for text in tf.reshape(texts, [-1]).numpy()]
            lengths = [len(ids) for ids, _ in rows]
            flat = [[token, *place] for ids, places in rows for token, place in zip(ids, places, strict=True)]
            columns = np.array(flat, "int32").reshape(-1, 3).T
            ragged = [tf.RaggedTensor.from_row_lengths(column, lengths) for column in columns]
            return tuple(each[0] if texts.shape.rank == 0 else each for each in ragged)

    def offset_mapping(self, inputs, sequence_length: int | None = None) -> np.ndarray:
        """Compute the place in its text of each token of the model inputs.

        Args:
            inputs: as for a call: strings `[B]`, one string, or a tuple `(first, second)` of them.
            sequence_length: as for a call.

        Returns:
            int32 array `[B, T, 2]`, for one string `[T, 2]`: start and exclusive end, in characters of the first or the
            second text, of the tokens at the same places of `input_word_ids`; `(0, 0)` for [CLS], [SEP] and [PAD].

        Raises:
            InputError: as for a call.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"])
        >>> vectorizer.offset_mapping("Films", sequence_length=5).tolist()
        [[0, 0], [0, 4], [4, 5], [0, 0], [0, 0]]

        Source: `return_offsets_mapping` of Hugging Face's tokenizers.
        """
        import tensorflow as tf

        pair = inputs if isinstance(inputs, tuple) else (inputs,)
        texts = [string_tensor(each) for each in pair]
        if len({str(each.shape) for each in texts}) > 1:
            shapes = " and ".join(str(each.shape) for each in texts)
            raise InputError(f"`inputs` must have the same number of first and second texts. Received: shapes {shapes}")
        check_sequence_length(sequence_length)
        length = self.sequence_length if sequence_length is None else sequence_length
        places = [self.tokenize_with_offsets(tf.reshape(each, [-1]))[1:] for each in texts]
        columns = [pack(segments, length, 0, 0, 0)["input_word_ids"].numpy() for segments in zip(*places, strict=True)]
        mapping = np.stack(columns, -1)  # [B, T, 2]
        return mapping[0] if texts[0].shape.rank == 0 else mapping

    @functools.cached_property
    def _offset_tokenizer(self) -> OffsetTokenizer:
        return OffsetTokenizer(self.get_vocabulary(), self.lowercase, self.whole_tokens, self.splitting)
