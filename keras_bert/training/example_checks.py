"""Checks that packed examples and a vocabulary fit a model."""

from keras_bert.errors import InputError
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples


def check_pretraining_examples(pretrainer, examples: PretrainingExamples, masking: Masking) -> None:
    """Check that a pretrainer can be trained on packed examples.

    Args:
        pretrainer: a `BertPretrainer`.
        examples: packed examples, `[N, T]`.
        masking: `Masking`.

    Raises:
        InputError: the checks of `check_examples` fail, or the examples were packed for another sentence task.
    """
    check_examples(pretrainer.encoder, examples, masking)
    if pretrainer.sentence_task != examples.sentence_task:
        raise InputError(
            f"`examples` must be packed with the model's sentence_task={pretrainer.sentence_task!r}. "
            f"Received: examples packed with sentence_task={examples.sentence_task!r}"
        )


def check_examples(encoder, examples: PretrainingExamples, masking: Masking) -> None:
    """Check that packed examples and a vocabulary fit an encoder.

    Args:
        encoder: a `BertEncoder`.
        examples: packed examples, `[N, T]`.
        masking: `Masking`.

    Raises:
        InputError: the vocabulary size differs from the encoder's, or the examples have more tokens than the encoder
            has positions.
    """
    config = encoder.config
    if len(masking.maskable) != config.vocab_size:
        raise InputError(
            f"`masking` must be for the encoder's vocabulary of {config.vocab_size} tokens. "
            f"Received: {len(masking.maskable)} tokens"
        )
    length = examples.input_word_ids.shape[1]
    if length > config.max_position_embeddings:
        raise InputError(
            f"`examples` must have at most max_position_embeddings={config.max_position_embeddings} tokens each. "
            f"Received: {length} tokens"
        )
