"""Checks that packed examples and a vocabulary fit a model."""

from keras_bert.errors import InputError
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.row_checks import find_fault
from keras_bert.text.stored_rows import StoredExamples


def check_pretraining_examples(
    pretrainer, examples: PretrainingExamples, masking: Masking, name: str = "examples"
) -> None:
    """Check that a pretrainer can be trained on packed examples.

    Args:
        pretrainer: a `BertPretrainer`.
        examples: packed examples, `[N, T]`.
        masking: `Masking`.
        name: the argument of the examples, for messages.

    Raises:
        InputError: the checks of `check_examples` fail, or the examples were packed for another sentence task.
    """
    check_examples(pretrainer.encoder, examples, masking, name)
    if pretrainer.sentence_task != examples.sentence_task:
        raise InputError(
            f"`{name}` must be packed with the model's sentence_task={pretrainer.sentence_task!r}. "
            f"Received: examples packed with sentence_task={examples.sentence_task!r}"
        )


def check_examples(encoder, examples: PretrainingExamples, masking: Masking, name: str = "examples") -> None:
    """Check that packed examples and a vocabulary fit an encoder.

    Args:
        encoder: a `BertEncoder`.
        examples: packed examples, `[N, T]`.
        masking: `Masking`.
        name: the argument of the examples, for messages.

    Raises:
        InputError: there is no example, the vocabulary size differs from the encoder's, the examples have more tokens
            than the encoder has positions, or an id, a label or a length is outside its range.
    """
    config = encoder.config
    if not len(examples):
        raise InputError(f"`{name}` must have at least one example. Received: 0 examples")
    if len(masking.maskable) != config.vocab_size:
        raise InputError(
            f"`masking` must be for the encoder's vocabulary of {config.vocab_size} tokens. "
            f"Received: {len(masking.maskable)} tokens"
        )
    length = examples.input_word_ids.shape[1]
    if length > config.max_position_embeddings:
        raise InputError(
            f"`{name}` must have at most max_position_embeddings={config.max_position_embeddings} tokens each. "
            f"Received: {length} tokens"
        )
    if isinstance(examples, StoredExamples):  # its files were checked when they were opened
        fault = examples.vocab_size > config.vocab_size and f"ids of a vocabulary of {examples.vocab_size} tokens"
    else:
        fault = find_fault(examples, config.vocab_size)
    if fault:
        raise InputError(f"`{name}` must be rows that `pack_examples` returns for the encoder. Received: {fault}")
